"""Evaluate a bundle on held-out interactions: every source it holds and what it serves, in one run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.manifest import as_json
from recsys.config import Config
from recsys.core.progress import Steps
from recsys.measure import systems as s
from recsys.measure.best_baseline import best_baseline
from recsys.measure.candidate_recall import candidate_recall
from recsys.measure.cold_start import among_new_items, new_users
from recsys.measure.explanations.measure import measure_explanations
from recsys.measure.full_ranking import FullRanking
from recsys.measure.protocol import HISTORY_SPLITS, HeldOut, main_cutoff, train_counts
from recsys.measure.provenance import require_same_dataset
from recsys.measure.rating_calibration import reliability
from recsys.measure.ratings import PredictRatings, evaluate_ratings, flat, predict_in_blocks
from recsys.measure.recommendation_file import RecommendationFile
from recsys.measure.results import Protocol, RatingResults, Reliability, Results
from recsys.measure.rules.measure import measure_rules
from recsys.measure.rules.variants import require_followed
from recsys.measure.user_attributes import what_attributes_bring
from recsys.pipeline.ratings.factors_fit import with_rated_vectors
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.rules.rule import Rule

RANK = "Rank the catalogue for every user"
RESAMPLE = "Resample users for intervals"
COLD_START = "Candidates, new users and new items"
RATINGS = "Ratings"
EXPLANATIONS = "Explanations"
RULES = "Rules"
STEPS = (RANK, RESAMPLE, COLD_START, RATINGS, EXPLANATIONS)


def evaluate(
    bundle: Bundle,
    dataset: PreparedDataset,
    config: Config,
    *,
    split: str = c.TEST,
    retrievers: Collection[str] | None = None,
    recommendations: Path | None = None,
    rules: Sequence[Rule] | None = None,
    scenario: str | None = None,
    steps: Steps | None = None,
) -> Results:
    """Rank the whole catalogue for every user of a split and measure all systems on the same lists' terms.

    Users are processed in blocks, so that memory does not grow with users x items. Nothing is fitted or tuned here
    but the rating models beside the head: what is evaluated is what the bundle holds.

    Args:
        bundle: an open bundle, trained on `dataset`.
        dataset: its split is predicted.
        config: `config.evaluation` and `config.seed`.
        split: "test" or "validation".
        retrievers: names of the bundle's sources to compare beside the two-tower and popularity; None: all.
        recommendations: where to write the system's top 100 of every user, or None.
        rules: of the shop, to be measured against no rules; None: none are measured.
        scenario: of the requests that the rules are measured for.
        steps: of the run, `STEPS` among them, and `RULES` where there are rules; None: nobody hears of it.

    Returns:
        Figures by name; `recsys.report.document` adds the words.

    Raises:
        BundleError: the bundle was trained on another dataset or another preparation of it.
        ConfigError: the bundle holds no source of a given name, the file cannot be written, or the bundle cannot
            follow a rule.
        DataError: the split is empty.
    """
    require_same_dataset(bundle, dataset)
    if rules is not None:  # before the minutes of everything else
        require_followed(rules, bundle)
    everyone = HeldOut.of(dataset, split)
    held = everyone.sample(config.evaluation.users, config.seed) if config.evaluation.users else everyone
    systems = s.Systems.of(bundle, retrievers)
    steps = steps or Steps.silent((*STEPS, RULES))
    ranking = FullRanking(systems, dataset, held, config)
    output = RecommendationFile(recommendations, dataset) if recommendations else nullcontext()
    with steps.step(RANK) as step, step.bar("Users", len(held)) as bar, output as file:
        for rows, block in held.blocks(dataset.n_items):
            served = ranking.add(rows, block)
            if file is not None:
                file.write(block.users, served)
            bar.advance(len(block))
    with steps.step(RESAMPLE):
        results = ranking.results()
        protocol = _protocol(held, len(everyone), dataset, config)
        best = best_baseline(results, protocol, as_json(bundle.manifest.metrics))
    with steps.step(COLD_START):
        samples, seed = config.evaluation.bootstrap_samples, config.seed
        candidates = candidate_recall(systems.recommender, held, dataset.n_items, samples=samples, seed=seed)
        of_new_users = new_users(systems, held, [name for name in systems.names if name != s.EXACT], config)
        of_attributes = what_attributes_bring(systems, held, config)
        if results["cold_items"] is not None and dataset.manifest.get("cold_items"):
            results["cold_items"]["among_themselves"] = among_new_items(
                {s.EXACT: systems.two_tower, **systems.retrievers}, held, train_counts(dataset) == 0, config
            )
    with steps.step(RATINGS):
        predict = _rating_head(bundle.rating_predictor, systems)
        refitted = None
        if bundle.rating_predictor is not None and split != c.VALIDATION:
            both = dataset.histories((c.TRAIN, c.VALIDATION))
            statistics = with_rated_vectors(bundle.rating_predictor.statistics.with_biases_of(both), both)
            refitted = replace(bundle.rating_predictor, statistics=statistics)
        ratings = _ratings(predict, _rating_head(refitted, systems), dataset, held, config)
        calibration = _calibration(held, dataset.n_items, predict)
    with steps.step(EXPLANATIONS) as step:
        explanations = measure_explanations(bundle, held, config, step)
    of_rules = None
    if rules is not None:
        with steps.step(RULES) as step:
            of_rules = measure_rules(bundle, dataset, held, config, rules, scenario=scenario, step=step)
    return {
        **results,
        "protocol": protocol,
        "best_baseline": best,
        "candidates": candidates,
        "new_users": of_new_users,
        "user_attributes": of_attributes,
        "ratings": ratings,
        "calibration": calibration,
        "explanations": explanations,
        "rules": of_rules,
    }


def _ratings(
    predict: PredictRatings | None,
    refitted: PredictRatings | None,
    dataset: PreparedDataset,
    held: HeldOut,
    config: Config,
) -> RatingResults | None:
    return evaluate_ratings(
        dataset,
        held,
        predict,
        refitted,
        dampings=config.evaluation.bias_damping,
        head_damping=config.ranking.damping,
        samples=config.evaluation.bootstrap_samples,
        seed=config.seed,
        factor_grids=config.evaluation,
    )


def _rating_head(predictor: RatingPredictor | None, systems: s.Systems) -> PredictRatings | None:
    if predictor is None:
        return None
    return lambda queries, items: predictor.predict(systems.two_tower.encode(queries), queries.histories, items)


def _calibration(held: HeldOut, n_items: int, predict: PredictRatings | None) -> Reliability | None:
    """Reliability of the rating head; None where there is none or nothing to compare with."""
    if predict is None or held.ratings.empty:
        return None
    return reliability(predict_in_blocks(held, n_items, predict), flat(held)[2])


def _protocol(held: HeldOut, everyone: int, dataset: PreparedDataset, config: Config) -> Protocol:
    lengths = held.queries.histories.lengths
    return {
        "split": held.split,
        "fitted_on": [c.TRAIN],
        "history": list(HISTORY_SPLITS[held.split]),
        "users": len(held),
        "users_of_split": everyone,
        "users_without_history": int(np.sum(lengths == 0)),
        "targets": len(held.relevant.items),
        "mean_history": float(lengths.mean()),
        "catalogue": dataset.n_items,
        "cutoffs": list(config.evaluation.cutoffs),
        "main_cutoff": main_cutoff(config.evaluation.cutoffs),
        "protocols": list(s.PROTOCOLS),
        "headline_protocol": s.headline_protocol(repeats=held.repeats),
        "bootstrap_samples": config.evaluation.bootstrap_samples,
        "seed": config.seed,
    }
