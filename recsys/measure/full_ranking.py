"""One pass over the users of a split: every system ranks the whole catalogue, counted under both protocols."""

from __future__ import annotations

import numpy as np

from recsys.config import Config
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.measure import systems as s
from recsys.measure.diversity import Diversity
from recsys.measure.metrics import mean_popularity, overlap
from recsys.measure.protocol import (
    COLD,
    WARM,
    HeldOut,
    ItemSlice,
    history_slices,
    item_slices,
    main_cutoff,
    train_counts,
)
from recsys.measure.results import (
    Comparison,
    HistorySlice,
    NewItems,
    PopularitySlice,
    RankingResults,
    Slices,
    SystemResults,
    VarietyResults,
)
from recsys.measure.tally import HEADLINE, Summary, Tally, mean_of_defined
from recsys.measure.variety import GROUPINGS, Variety, VarietyTally
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.exact import is_seen

LIST_LENGTH = 100  # of the recommendation file, and of the recall of approximate search


def list_length(config: Config) -> int:
    """Items asked of every system: enough for the recommendation file and the largest cutoff."""
    return max(LIST_LENGTH, *config.evaluation.cutoffs)


class FullRanking:
    """The tallies of all systems, and what approximate search and the ranker change."""

    def __init__(self, systems: s.Systems, dataset: PreparedDataset, held: HeldOut, config: Config) -> None:
        self._systems, self._held, self._config, self._seed = systems, held, config.evaluation, config.seed
        self._counts = train_counts(dataset)
        self._slices = item_slices(self._counts)
        self._main = main_cutoff(self._config.cutoffs)
        self._depth = list_length(config)
        diversity = Diversity(dataset.items)
        self._diversity = diversity if diversity.described_share else None
        self._headline = s.headline_protocol(repeats=held.repeats)
        self._tallies = {protocol: {name: self._tally(protocol) for name in systems.names} for protocol in s.PROTOCOLS}
        self._varieties = {
            by: VarietyTally(Variety.of_items(dataset.items, by), systems.names, len(held)) for by in GROUPINGS
        }
        self._ann_recall = np.full(len(held), np.nan)
        self._changed = {pair: np.full((len(held), 2), np.nan) for pair in ((s.EXACT, s.ANN), (s.ANN, s.SYSTEM))}
        self._repeated = 0

    def _tally(self, protocol: str) -> Tally:
        """Slices and diversity are counted under the headline protocol."""
        served = protocol == self._headline
        slices = [*self._slices, ItemSlice(WARM, self._counts > 0)] if served else []
        return Tally(len(self._held), self._config.cutoffs, slices, self._counts, self._diversity if served else None)

    def add(self, rows: slice, block: HeldOut) -> Candidates:
        """Rank for a block of users, count, and return the system's top 100 under the headline protocol."""
        lists = self._systems.rank(block.queries, self._depth)
        repeated = is_seen(block.relevant.items, block.relevant.owners, block.queries.histories)
        self._repeated += int(repeated.sum())
        relevant = {s.NOTHING_REMOVED: block.relevant, s.SEEN_REMOVED: block.relevant.keep(~repeated)}
        for protocol, tallies in self._tallies.items():
            for name, tally in tallies.items():
                tally.add(rows, lists[protocol][name].items, relevant[protocol])
        first = {name: found.items[:, : self._main] for name, found in lists[self._headline].items()}
        for variety in self._varieties.values():
            variety.add(rows, block.queries.histories, first, relevant[self._headline])
        approximate, exact = (lists[s.NOTHING_REMOVED][name].items[:, :LIST_LENGTH] for name in (s.ANN, s.EXACT))
        strangers = block.queries.histories.lengths == 0  # no search is made for them
        self._ann_recall[rows] = np.where(strangers, np.nan, overlap(approximate, exact))
        for (before, after), changed in self._changed.items():
            changed[rows] = np.where(strangers[:, None], np.nan, _changes(first[before], first[after]))
        served = lists[self._headline][s.SYSTEM]
        return Candidates(served.items[:, :LIST_LENGTH], served.scores[:, :LIST_LENGTH])

    def results(self) -> RankingResults:
        """Everything about rankings, JSON-ready."""
        summaries = {protocol: self._summary(tallies) for protocol, tallies in self._tallies.items()}
        names = self._systems.names
        return {
            "systems": names,
            "ranking": {
                protocol: {"users": summary.users, "systems": self._with_extras(protocol, summary)}
                for protocol, summary in summaries.items()
            },
            "comparisons": self._comparisons(summaries[self._headline]),
            "slices": self._slice_results(),
            "cold_items": self._cold_items(),
            "ann": {
                "depth": LIST_LENGTH,
                "recall": mean_of_defined(self._ann_recall),
                "changed": self._change(s.EXACT, s.ANN),
            },
            "ranker": {"changed": self._change(s.ANN, s.SYSTEM)},
            "diversity_known_share": self._diversity.described_share if self._diversity else 0.0,
            "variety": self._variety_results(),
            "repeated_targets": self._repeated,
        }

    @property
    def _metrics(self) -> list[str]:
        return [f"{metric}@{self._main}" for metric in HEADLINE]

    def _summary(self, tallies: dict[str, Tally]) -> Summary:
        figures = {name: tally.figures for name, tally in tallies.items()}
        return Summary(figures, self._config.bootstrap_samples, self._seed)

    def _with_extras(self, protocol: str, summary: Summary) -> dict[str, SystemResults]:
        histories = self._held.queries.histories
        in_histories = mean_popularity((histories.indptr, histories.items), self._counts)
        chosen = mean_popularity(self._held.relevant, self._counts)
        return {
            name: {"metrics": table, **self._tallies[protocol][name].beyond_accuracy(in_histories, chosen)}
            for name, table in summary.table().items()
        }

    def _comparisons(self, summary: Summary) -> list[Comparison]:
        """The system and retrieval alone against everything else, user by user."""
        names = self._systems.names
        pairs = [(s.SYSTEM, other) for other in names if other != s.SYSTEM]
        pairs += [(s.ANN, other) for other in names if other not in (s.SYSTEM, s.ANN)]
        return [
            {"system": system, "other": other, "metric": metric, **summary.difference(system, other, metric)}
            for system, other in pairs
            for metric in self._metrics
            if summary.users
        ]

    def _variety_results(self) -> dict[str, VarietyResults]:
        """By grouping, where the histories have groups."""
        samples = self._config.bootstrap_samples
        found = {by: variety.results(samples, self._seed) for by, variety in self._varieties.items()}
        return {by: results for by, results in found.items() if results is not None}

    def _slice_results(self) -> Slices:
        tallies = self._tallies[self._headline]
        by_history: list[HistorySlice] = []
        for label, mask in history_slices(self._held.queries.histories.lengths):
            figures = {name: {m: tally.figures[m][mask] for m in self._metrics} for name, tally in tallies.items()}
            summary = self._resampled(figures)
            by_history.append({"label": label, "users": summary.users, "systems": summary.table()})
        by_item: list[PopularitySlice] = []
        for part in self._slices:
            summary = self._slice_summary(part.label)
            items = int(part.mask.sum())
            by_item.append({"label": part.label, "items": items, "users": summary.users, "systems": summary.table()})
        return {"history_length": by_history, "item_popularity": by_item}

    def _cold_items(self) -> NewItems | None:
        """Items without train interactions against all others, each alone counted as relevant; None without the former.

        All items compete in both.
        """
        if COLD not in (part.label for part in self._slices):
            return None
        cold, warm = (self._slice_summary(label) for label in (COLD, WARM))
        if not cold.users:
            return None
        figures = {label: summary.table() for label, summary in ((COLD, cold), (WARM, warm))}
        return {
            "items": int((self._counts == 0).sum()),
            "users": {COLD: cold.users, WARM: warm.users},
            "systems": {
                name: {
                    "cold": figures[COLD][name],
                    "warm": figures[WARM].get(name),
                    "ratio": {metric: cold.ratio(name, metric, warm) for metric in self._metrics},
                }
                for name in self._systems.names
            },
        }

    def _slice_summary(self, label: str) -> Summary:
        tallies = self._tallies[self._headline]
        return self._resampled({name: tally.slice_figures[label] for name, tally in tallies.items()})

    def _resampled(self, figures: dict[str, dict[str, Float32Array]]) -> Summary:
        return Summary(figures, self._config.bootstrap_samples, self._seed)

    def _change(self, before: str, after: str) -> dict[str, float | None]:
        share, any_change = self._changed[before, after].T
        return {f"top_{self._main}_share": mean_of_defined(share), "users_with_any_change": mean_of_defined(any_change)}


def _changes(old: Int32Array, new: Int32Array) -> Float64Array:
    """[B, 2]: share of the old list that left it, and 1 if any position differs; NaN for an empty old list."""
    left = 1 - overlap(new, old)
    differs = np.where((old != NO_ITEM).any(axis=1), (old != new).any(axis=1), np.nan)
    return np.column_stack([left, differs])
