"""What the ranker's lists are made with: which sources, and all that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.config import Config
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, CatalogueData, FeatureParts
from recsys.pipeline.propose import Proposer
from recsys.pipeline.recommender import Recommender
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.fitting import FitData
from recsys.sources.lending import Loans
from recsys.sources.popularity.source import Popularity
from recsys.sources.registry import HYBRID, NOT_PERSONAL
from recsys.train.source_fits import TunedSources
from recsys.train.steps.context import FittedSources, ServedTwoTower

# In a larger catalogue a source that looks at every item costs a request more than all else (docs/performance.md).
SCANNED_ITEMS = 20_000


@dataclass(frozen=True)
class Composition:
    """What the ranker's features are computed from, by name; the same on the prefix as on the whole of train.

    Attributes:
        proposers: sources that propose candidates: those of the config, the one that did best on validation, so that no
            list need be worse than its own, and what validation made a member of the hybrid. None of these two kinds
            scans a catalogue of more than `SCANNED_ITEMS`.
        scorers: sources whose scores are features, the proposers first.
        needed: the scorers, and the other members of the sum.
        weights: of the hybrid, by member, in the sum that lets candidates through to the ranker.
    """

    proposers: list[str]
    scorers: list[str]
    needed: list[str]
    weights: Mapping[str, float]

    @classmethod
    def of(cls, config: Config, sources: FittedSources) -> Composition:
        """What the config names and the data allow."""
        weights = sources.hybrids.sources[HYBRID].weights
        wanted = [*config.ranking.retrievers]
        if (best := _best_alone(sources.alone)) is not None:
            members = [name for name in config.retrieval.names if name in weights and name not in NOT_PERSONAL]
            small = sources.data.n_items <= SCANNED_ITEMS
            wanted += [name for name in (best, *members) if small or not sources.alone.tuned[name].source.scans]
        proposers = [name for name in dict.fromkeys(wanted) if name in sources.alone.tuned]
        scorers = [*proposers]
        scorers += [name for name in config.ranking.scorers if name in sources.alone.tuned and name not in scorers]
        summed = [name for name in config.retrieval.names if name in weights and name not in scorers]
        return cls(proposers, scorers, [*scorers, *summed], weights)


@dataclass(frozen=True)
class Parts:
    """What lists of candidates are made with, all fitted on the same interactions.

    Attributes:
        scorer: gives candidates the scores of all sources.
        features: of candidates so scored.
        recommender: proposes the candidates; without a ranker.
    """

    scorer: CandidateScorer
    features: CandidateFeatures
    recommender: Recommender

    @classmethod
    def of(
        cls,
        data: FitData,
        dataset: PreparedDataset,
        served: ServedTwoTower,
        fitted: Mapping[str, Any],
        composition: Composition,
        config: Config,
    ) -> Parts:
        """Compose them.

        Args:
            data: of `dataset`, or of a part of it.
            dataset: for brands and categories.
            served: the two-tower.
            fitted: the sources that are needed.
            composition: which of them are for what.
            config: the section ranking is used.
        """
        n_items, scorers, weights = data.n_items, composition.scorers, composition.weights
        chosen = np.bincount(data.histories.items, minlength=n_items) > 0
        loans = Loans.none(n_items) if data.text_vectors is None else Loans.of(data.text_vectors, chosen)
        scorer = CandidateScorer(
            served.source,
            {name: fitted[name] for name in scorers},
            loans,
            weights,
            {name: source for name, source in fitted.items() if name in weights and name not in scorers},
        )
        catalogue = CatalogueData(
            data.histories,
            dataset.items[c.PRICE].to_numpy(np.float64, na_value=np.nan),
            dataset.items[c.BRAND].tolist(),
            dataset.items[c.CATEGORIES].tolist(),
            loans,
        )
        parts = FeatureParts(served.source.name, tuple(scorers), served.predictor)
        others = [fitted[name] for name in composition.proposers]
        recommender = Recommender(
            [
                Proposer(served.source, config.ranking.candidates),
                *(Proposer(source, config.ranking.retriever_candidates) for source in others),
            ],
            Popularity.fit(data.histories.items, n_items),
        )
        return cls(scorer, CandidateFeatures.fit(catalogue, parts), recommender)


def _best_alone(sources: TunedSources) -> str | None:
    """The source that did best on validation of those that read the history; None where nothing is known of any."""
    figures = {
        name: max(trial[tuned.report["metric"]] for trial in tuned.report["tried"])
        for name, tuned in sources.tuned.items()
        if tuned.report["tried"] and name not in NOT_PERSONAL
    }
    return max(figures, key=figures.__getitem__, default=None)
