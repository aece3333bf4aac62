"""Cold start: lists for new users by the length of their history, and the ranking of new items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.config import Config
from recsys.core.queries import Queries
from recsys.core.types import BoolArray
from recsys.measure import systems as s
from recsys.measure.full_ranking import list_length
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.measure.results import AmongNewItems, NewUsers, NewUsersRow
from recsys.measure.tally import HEADLINE, Summary
from recsys.sources.base import Source
from recsys.sources.exact import block_rows, top_k

LENGTHS = (0, 1, 2, 5)
MAX_USERS = 5000


def new_users(systems: s.Systems, held: HeldOut, names: Sequence[str], config: Config) -> NewUsers | None:
    """Figures of the same users, as if they had only their last 0, 1, 2 or 5 interactions.

    The model is not told who they are (user -1), also in the row of their whole histories. The relevant
    items are the same at every length: those that are not in the whole history, unless repeats are predicted.

    Args:
        systems: to be asked.
        held: users of the split; those with a history of at least 5 take part, `MAX_USERS` of them at most.
        names: of the systems.
        config: the cutoffs, the number of bootstrap samples and the seed.

    Returns:
        {"users", "systems", "rows": [{"history": a length or None for all, "systems": {name: {metric: estimate}}}]};
        None if no user's history is long enough.
    """
    long_enough = held.select(np.flatnonzero(held.queries.histories.lengths >= max(LENGTHS)))
    chosen = long_enough.sample(MAX_USERS, config.seed)
    relevant, protocol = chosen.wanted, s.headline_protocol(repeats=held.repeats)
    if not relevant.counts.any():
        return None
    cutoff = main_cutoff(config.evaluation.cutoffs)
    metrics = [f"{metric}@{cutoff}" for metric in HEADLINE]
    rows: list[NewUsersRow] = []
    for length in (*LENGTHS, None):
        figures = {name: {m: np.full(len(chosen), np.nan, np.float32) for m in metrics} for name in names}
        for rows_of_block, block in chosen.blocks(systems.two_tower.n_items):
            relevant_in_block = relevant.select(np.arange(rows_of_block.start, rows_of_block.stop))
            queries = _anonymous(block.queries, length)
            lists = systems.rank(queries, list_length(config), names, [protocol])[protocol]
            for name in names:
                values = ranking_metrics(lists[name].items, relevant_in_block, [cutoff])
                for metric in metrics:
                    figures[name][metric][rows_of_block] = values[metric]
        summary = Summary(figures, config.evaluation.bootstrap_samples, config.seed)
        rows.append({"history": length, "systems": summary.table()})
    return {"users": summary.users, "systems": list(names), "rows": rows}


def _anonymous(queries: Queries, length: int | None) -> Queries:
    """The queries without user rows, their histories cut to the latest `length` interactions (None: not cut)."""
    histories = queries.histories if length is None else queries.histories.last(length)
    return Queries(histories, np.full(len(queries), -1, np.int32), queries.now)


def among_new_items(sources: dict[str, Source], held: HeldOut, new: BoolArray, config: Config) -> AmongNewItems | None:
    """How well new items are told from one another: they alone are ranked, for users who chose one of them.

    Args:
        sources: by name, asked for the scores of all items.
        held: users of the split.
        new: bool [n_items].
        config: the cutoffs, the number of bootstrap samples and the seed.

    Returns:
        {"users", "systems": {name: {metric: estimate}}}; None where no user chose a new item.
    """
    new_and_relevant = held.relevant.keep(new[held.relevant.items])
    chosen = held.select(np.flatnonzero(new_and_relevant.counts))
    if not len(chosen):
        return None
    rows = np.flatnonzero(new)
    renumbered = np.full(len(new), -1, np.int32)
    renumbered[rows] = np.arange(len(rows))
    cutoff = main_cutoff(config.evaluation.cutoffs)
    metrics = [f"{metric}@{cutoff}" for metric in HEADLINE]
    figures = {name: {m: np.full(len(chosen), np.nan, np.float32) for m in metrics} for name in sources}
    for rows_of_block, block in chosen.blocks(len(new)):
        relevant = block.relevant.keep(new[block.relevant.items])
        relevant = relevant._replace(items=renumbered[relevant.items])
        for name, source in sources.items():
            # In parts: the scores of a large catalogue for a whole block may not fit in memory.
            parts = block.queries.blocks(block_rows(len(new)))
            best = np.concatenate([top_k(source.score(part)[:, rows], cutoff).items for _, part in parts])
            values = ranking_metrics(best, relevant, [cutoff])
            for metric in metrics:
                figures[name][metric][rows_of_block] = values[metric]
    summary = Summary(figures, config.evaluation.bootstrap_samples, config.seed)
    return {"users": summary.users, "systems": summary.table()}
