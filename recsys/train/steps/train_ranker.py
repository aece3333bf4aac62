"""Step: train the ranker on lists of candidates of a prefix of train, labelled by what follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recsys.config import Config
from recsys.core.progress import Step
from recsys.measure.protocol import HeldOut
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, CatalogueData, FeatureParts
from recsys.pipeline.propose import Proposer
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.recommender import Recommender
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.fitting import FitData
from recsys.sources.lending import Loans
from recsys.sources.popularity.source import Popularity
from recsys.sources.registry import HYBRID
from recsys.train.ranker_contributions import contributions
from recsys.train.ranker_fit import FittedRanker, fit_ranker, repeat_offset, served_ranker
from recsys.train.ranker_lists import CandidateLists, collect_lists, repeat_log_odds
from recsys.train.source_fits import fit_again, fit_data
from recsys.train.steps.context import FittedSources, RunContext, ServedTwoTower, Trained, TrainedRanker
from recsys.train.steps.export_towers import export_towers
from recsys.train.validator import EARLY_STOPPING_METRIC


@dataclass(frozen=True)
class _Composition:
    """What the ranker's features are computed from, by name; the same on the prefix as on the whole of train.

    Attributes:
        scorers: sources whose scores are features.
        needed: the scorers, and the other members of the sum.
        weights: of the hybrid, by member, in the sum that lets candidates through to the ranker.
    """

    scorers: list[str]
    needed: list[str]
    weights: Mapping[str, float]

    @classmethod
    def of(cls, config: Config, sources: FittedSources) -> _Composition:
        weights = sources.hybrids[HYBRID].weights
        wanted = (*config.ranking.retrievers, *config.ranking.scorers)
        scorers = [name for name in wanted if name in sources.alone.tuned]
        members = [name for name in config.retrieval.names if name in weights and name not in scorers]
        return cls(scorers, [*scorers, *members], weights)


@dataclass(frozen=True)
class _Parts:
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
        composition: _Composition,
        config: Config,
    ) -> _Parts:
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
        others = [fitted[name] for name in config.ranking.retrievers if name in fitted]
        recommender = Recommender(
            [
                Proposer(served.source, config.ranking.candidates),
                *(Proposer(source, config.ranking.retriever_candidates) for source in others),
            ],
            Popularity.fit(data.histories.items, n_items),
        )
        return cls(scorer, CandidateFeatures.fit(catalogue, parts), recommender)


def train_ranker(
    context: RunContext,
    trained: Trained,
    twin: Trained,
    served: ServedTwoTower,
    sources: FittedSources,
    step: Step,
) -> TrainedRanker | None:
    """Train the ranker, choose the hybrid's share on validation, and measure what each feature is worth.

    Args:
        context: of the run.
        trained, served: the two-tower.
        twin: the two-tower trained on the prefix.
        sources: the others, fitted on train.
        step: shows how far it is.

    Returns:
        None where no candidate was chosen: there is no ranker then.
    """
    config, composition = context.config, _Composition.of(context.config, sources)
    following = HeldOut.of(twin.dataset, c.TEST).sample(config.ranking.max_lists, config.seed)
    lists = _training_lists(context, twin, sources, composition, following, step)
    if not len(lists):
        step.print("No ranker: nothing that follows the prefix is among the candidates")
        return None
    fitted: dict[str, Any] = {name: sources.alone.tuned[name].source for name in composition.needed}
    parts = _Parts.of(sources.data, trained.dataset, served, fitted, composition, config)
    checked = _validation_lists(context, parts, step)
    with step.bar("Epochs of the ranker", config.ranking.epochs) as bar:
        ranker = fit_ranker(lists, checked, config.ranking, config.seed, step.console, bar.advance)
    model, difference = served_ranker(ranker, lists.features[:4])
    if following.repeats:
        log_odds = repeat_offset(ranker, checked if checked is not None and len(checked) else lists)
    else:
        log_odds = repeat_log_odds(following)
    finalists = config.ranking.finalists
    pipeline = Ranker(parts.scorer, parts.features, model, log_odds, following.repeats, finalists=finalists)
    report: dict[str, Any] = {
        "lists": len(lists),
        "prefix_candidate_recall": lists.candidate_recall,
        "curve": ranker.curve,
        "export_difference": difference,
        "repeat_log_odds": log_odds,
    }
    if checked is not None and len(checked):
        report |= _validation_report(ranker, checked, parts.features.headings, config.seed)
    recommender = replace(parts.recommender, predictor=served.predictor, ranker=pipeline)
    return TrainedRanker(pipeline, recommender, report)


def _training_lists(
    context: RunContext,
    twin: Trained,
    sources: FittedSources,
    composition: _Composition,
    following: HeldOut,
    step: Step,
) -> CandidateLists:
    """Candidates of the prefix's users, by sources that know nothing beyond the prefix."""
    config = context.config
    with TemporaryDirectory() as name:
        served = export_towers(context, twin, Path(name), step, measure=False)
        step.print(f"Fitting the {len(composition.needed)} sources that it reads on the prefix")
        data = fit_data(twin.dataset, twin.inputs.text, config)
        fitted = fit_again(composition.needed, data, sources.alone, config)
        parts = _Parts.of(data, twin.dataset, served, fitted, composition, config)
        with step.bar("Training queries", len(following)) as bar:
            return collect_lists(
                parts.recommender,
                parts.scorer,
                parts.features,
                following,
                finalists=None,  # choices that the sum would not let through teach too
                length=config.ranking.list_length,
                seed=config.seed,
                fitted=np.bincount(data.histories.items, minlength=data.n_items) > 0,
                progress=bar.advance,
            )


def _validation_lists(context: RunContext, parts: _Parts, step: Step) -> CandidateLists | None:
    config = context.config
    if context.validation is None:
        return None
    sample = context.validation.sample(config.ranking.validation_users, config.seed)
    with step.bar("Validation queries", len(sample)) as bar:
        return collect_lists(
            parts.recommender,
            parts.scorer,
            parts.features,
            sample,
            finalists=config.ranking.finalists,
            length=None,
            seed=config.seed,
            progress=bar.advance,
        )


def _validation_report(
    ranker: FittedRanker, checked: CandidateLists, headings: Mapping[str, Sequence[str]], seed: int
) -> dict[str, Any]:
    return {
        f"validation_{EARLY_STOPPING_METRIC}": ranker.best,
        "validation_users": checked.queries,
        "candidate_recall": checked.candidate_recall,
        "hybrid_share": ranker.sum_share,  # the key that metrics.json has always had
        **contributions(ranker, checked, headings, seed),
    }
