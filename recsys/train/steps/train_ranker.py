"""Step: train the ranker on lists of candidates of a prefix of train, and choose what puts lists in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recsys.config import AUTO
from recsys.core.progress import Step
from recsys.measure.protocol import HeldOut
from recsys.pipeline.features.source_sum import SOURCE_SUM
from recsys.pipeline.ranker import Ranker
from recsys.prepare import columns as c
from recsys.sources.registry import RANKER
from recsys.train.choice import Choice
from recsys.train.judged_orders import JudgedOrders, SumOrder, judge_orders
from recsys.train.ranker_contributions import contributions
from recsys.train.ranker_fit import (
    FittedRanker,
    cross_fitted_ndcg,
    fit_ranker,
    repeat_offset,
    served_ranker,
    sum_alone,
)
from recsys.train.ranker_lists import CandidateLists, collect_lists, repeat_log_odds
from recsys.train.source_fits import fit_again, fit_data
from recsys.train.steps.context import FittedSources, RunContext, ServedTwoTower, Trained, TrainedRanker
from recsys.train.steps.export_towers import export_towers
from recsys.train.steps.ranker_parts import Composition, Parts
from recsys.train.validator import EARLY_STOPPING_METRIC


@dataclass(frozen=True)
class _Learned:
    """A ranker with what it learned from.

    Attributes:
        ranker: as trained.
        lists: that it learned from.
        checked: those of validation; None where there is none.
        following: the queries of `lists`, and what followed.
    """

    ranker: FittedRanker
    lists: CandidateLists
    checked: CandidateLists | None
    following: HeldOut


def train_ranker(
    context: RunContext,
    trained: Trained,
    twin: Trained | None,
    served: ServedTwoTower,
    sources: FittedSources,
    step: Step,
) -> TrainedRanker | None:
    """Train the ranker, choose what puts lists in order on validation, and measure what each feature is worth.

    Args:
        context: of the run.
        trained, served: the two-tower.
        twin: the two-tower trained on the prefix; None: there is nothing that a ranker could learn from.
        sources: the others, fitted on train.
        step: shows how far it is.

    Returns:
        What puts lists in order, a sum of the sources' scores among others; None where there is neither a ranker nor
        validation: nothing is known that would speak for another order than the two-tower's.
    """
    config = context.config
    composition = Composition.of(config, sources)
    fitted = {name: sources.alone.tuned[name].source for name in composition.needed}
    parts = Parts.of(sources.data, trained.dataset, served, fitted, composition, config)
    learned = None if twin is None else _learned(context, twin, sources, composition, parts, step)
    judged = _judged(context, parts, sources, learned, step)
    report: dict[str, Any] = {}
    ranker = None
    if learned is not None:
        ranker, report = _by_network(context, parts, learned)
    if judged is not None:
        order = _order(config.ranking.order, judged, ranker)
        report["order"] = {**judged.choice.report(EARLY_STOPPING_METRIC), "served": order}
        step.print(_in_words(judged.choice, order, config.ranking.order))
        if order != RANKER:
            following = judged.held if learned is None else learned.following
            ranker = replace(_by_sum(context, parts, judged.sums[order], sources, following), order=order)
    elif config.ranking.order not in (AUTO, RANKER):
        step.print(f"ranking.order is {config.ranking.order}, which needs validation: there is none")
    if ranker is None:
        return None
    recommender = replace(parts.recommender, predictor=served.predictor, ranker=ranker)
    return TrainedRanker(ranker, recommender, report)


def _learned(
    context: RunContext, twin: Trained, sources: FittedSources, composition: Composition, parts: Parts, step: Step
) -> _Learned | None:
    """A ranker trained on lists of the twin's dataset; None where it has nothing to learn from."""
    config = context.config
    following = HeldOut.of(twin.dataset, c.TEST).sample(config.ranking.max_lists, config.seed)
    lists = _training_lists(context, twin, sources, composition, following, step)
    if not len(lists):
        step.print("No ranker: nothing that follows the prefix is among the candidates")
        return None
    checked = _validation_lists(context, parts, step)
    with step.bar("Epochs of the ranker", config.ranking.epochs) as bar:
        ranker = fit_ranker(lists, checked, config.ranking, config.seed, step.console, bar.advance)
    return _Learned(ranker, lists, checked, following)


def _judged(
    context: RunContext, parts: Parts, sources: FittedSources, learned: _Learned | None, step: Step
) -> JudgedOrders | None:
    """What validation says of the ranker and of what is simpler; None without validation."""
    if context.validation is None or context.folds is None:
        return None
    sample = context.validation.sample(context.config.ranking.validation_users, context.config.seed)
    ndcg, checked = None, None if learned is None else learned.checked
    if learned is not None and checked is not None and len(checked):
        ndcg = np.zeros(len(sample))
        ndcg[checked.rows] = cross_fitted_ndcg(learned.ranker, checked, context.folds[sample.users[checked.rows]])
    alone, hybrids = sources.alone.sources, sources.hybrids
    with step.bar("Users for whom orders are judged", len(sample)) as bar:
        return judge_orders(parts.recommender, parts.scorer, alone, hybrids, sample, context.folds, ndcg, bar.advance)


def _order(wanted: str, judged: JudgedOrders, ranker: Ranker | None) -> str:
    """The order that is served: the one wanted if there is one."""
    there_is = judged.sums if ranker is None else (*judged.sums, RANKER)
    return wanted if wanted in there_is else judged.choice.order


def _in_words(choice: Choice, served: str, wanted: str) -> str:
    """The choice in a line."""
    figure = choice.figures[choice.order]
    words = [f"Order: {choice.order}, {EARLY_STOPPING_METRIC} {figure:.4f} on {choice.users} validation users"]
    words += [f"{one.order} {one.mean:+.4f} (error {one.error:.4f}) over {one.over}" for one in choice.margins]
    if served != choice.order:
        words.append(f"{served} is served, as ranking.order says")
    elif wanted not in (AUTO, served):
        words.append(f"there is no {wanted}, as ranking.order would have it")
    return "; ".join(words)


def _by_network(context: RunContext, parts: Parts, learned: _Learned) -> tuple[Ranker, dict[str, Any]]:
    """The ranker as it is served, and how its training went."""
    ranker, lists, checked, following = learned.ranker, learned.lists, learned.checked, learned.following
    model, difference = served_ranker(ranker, lists.features[:4])
    if following.repeats:
        log_odds = repeat_offset(ranker, checked if checked is not None and len(checked) else lists)
    else:
        log_odds = repeat_log_odds(following)
    finalists = context.config.ranking.finalists
    pipeline = Ranker(parts.scorer, parts.features, model, log_odds, following.repeats, finalists=finalists)
    report: dict[str, Any] = {
        "lists": len(lists),
        "prefix_candidate_recall": lists.candidate_recall,
        "curve": ranker.curve,
        "export_difference": difference,
        "repeat_log_odds": log_odds,
    }
    if checked is not None and len(checked):
        report |= _validation_report(ranker, checked, parts.features.headings, context.config.seed)
    return pipeline, report


def _by_sum(context: RunContext, parts: Parts, order: SumOrder, sources: FittedSources, following: HeldOut) -> Ranker:
    """What orders candidates by a sum of the sources' scores and by nothing else."""
    scorer, features = parts.scorer, parts.features
    apart = (scorer.primary.name, *scorer.scorers)
    members = {name: sources.alone.sources[name] for name in order.weights if name not in apart}
    scorer = replace(scorer, weights=order.weights, members=members)
    model = sum_alone(len(features.names), features.column(SOURCE_SUM), order.unit)
    log_odds = order.offset if following.repeats else repeat_log_odds(following)
    return Ranker(scorer, features, model, log_odds, following.repeats, finalists=context.config.ranking.finalists)


def _training_lists(
    context: RunContext,
    twin: Trained,
    sources: FittedSources,
    composition: Composition,
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
        parts = Parts.of(data, twin.dataset, served, fitted, composition, config)
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


def _validation_lists(context: RunContext, parts: Parts, step: Step) -> CandidateLists | None:
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
