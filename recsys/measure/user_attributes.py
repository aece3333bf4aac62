"""What the attributes of users bring: the same lists made with their profiles, and as if nothing were known of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.config import Config
from recsys.measure import systems as s
from recsys.measure.full_ranking import list_length
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.measure.results import UserAttributes
from recsys.measure.tally import HEADLINE, Summary

KNOWN, HIDDEN = "known", "hidden"
_SYSTEMS = (s.SYSTEM, s.ANN)


def what_attributes_bring(systems: s.Systems, held: HeldOut, config: Config) -> UserAttributes | None:
    """Figures of users of whom an attribute is known, with their profiles and with none, and the paired differences.

    Both are of one bundle, whose training hid half of the profiles in each step. One that is trained without them may
    do better than this one does where they are hidden, so the differences are the most that attributes bring.

    Args:
        systems: to be asked.
        held: users of the split.
        config: the cutoffs, the number of bootstrap samples and the seed.

    Returns:
        None for a bundle that reads no attributes, or where none is known of anyone with a history.
    """
    profiles = systems.two_tower.profiles
    if profiles is None:
        return None
    unknown = profiles.profiles.vocabulary.unknown
    known = (profiles.of(held.queries) != unknown).any(axis=1) & (held.queries.histories.lengths > 0)
    chosen = held.select(np.flatnonzero(known))
    cutoff, protocol = main_cutoff(config.evaluation.cutoffs), s.headline_protocol(repeats=held.repeats)
    if not chosen.wanted.counts.any():
        return None
    metrics = [f"{metric}@{cutoff}" for metric in HEADLINE]
    figures = {
        f"{name}/{state}": {metric: np.full(len(chosen), np.nan, np.float32) for metric in metrics}
        for name in _SYSTEMS
        for state in (KNOWN, HIDDEN)
    }
    for rows, block in chosen.blocks(systems.two_tower.n_items):
        relevant = chosen.wanted.select(np.arange(rows.start, rows.stop))
        hidden = replace(block.queries, profiles=np.tile(unknown, (len(block), 1)))
        for state, queries in ((KNOWN, block.queries), (HIDDEN, hidden)):
            lists = systems.rank(queries, list_length(config), _SYSTEMS, [protocol])[protocol]
            for name in _SYSTEMS:
                values = ranking_metrics(lists[name].items, relevant, [cutoff])
                for metric in metrics:
                    figures[f"{name}/{state}"][metric][rows] = values[metric]
    summary = Summary(figures, config.evaluation.bootstrap_samples, config.seed)
    if not summary.users:
        return None
    table = summary.table()
    return {
        "attributes": [attribute.name for attribute in profiles.profiles.vocabulary.attributes],
        "users": summary.users,
        "systems": {
            name: {
                "known": table[f"{name}/{KNOWN}"],
                "hidden": table[f"{name}/{HIDDEN}"],
                "differences": {
                    metric: summary.difference(f"{name}/{KNOWN}", f"{name}/{HIDDEN}", metric) for metric in metrics
                },
            }
            for name in _SYSTEMS
        },
    }
