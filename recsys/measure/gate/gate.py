"""The gate: is a new bundle sound, and at least about as good as the one in use?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recsys.bundle import Bundle, open_bundle
from recsys.bundle.layout import FULL
from recsys.bundle.trial import try_out
from recsys.config import Config
from recsys.core.errors import RecsysError
from recsys.core.logistic import logistic
from recsys.core.progress import Step
from recsys.core.queries import NO_ITEM
from recsys.measure.gate.check import Check, GateReport
from recsys.measure.gate.comparison import Answers, Comparison, answers, compare
from recsys.measure.gate.speed import time_in_turns
from recsys.measure.gate.translation import Translation
from recsys.measure.metrics import membership
from recsys.measure.protocol import HeldOut
from recsys.measure.provenance import require_same_dataset
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset

RECALL_QUERIES = 500
_LEAST_CHOSEN = 20  # shown items that were chosen, for a verdict on their confidence


def gate(path: Path, in_use: Bundle | str, dataset: PreparedDataset, config: Config, step: Step) -> GateReport:
    """Look at a new bundle from all sides. What is wrong with it is in the report; nothing of it is raised.

    Args:
        path: folder of the new version.
        in_use: the open bundle in use, or a sentence that says why there is none to compare with.
        dataset: what the new bundle was made of.
        config: `config.gate`, `config.index`, `config.evaluation` and `config.seed`.
        step: of the run.
    """
    compared_with = in_use.version if isinstance(in_use, Bundle) else None
    try:
        new = open_bundle(path)
        require_same_dataset(new, dataset)
        try_out(path)
    except RecsysError as error:
        return GateReport(compared_with, (Check("parts", False, f"The new bundle is not sound: {error}"),))
    sound = Check("parts", True, "All files have their checksums, all parts fit together, and it recommends.")
    with new:
        if dataset.of_splits([c.TEST]).empty:
            said = "The dataset holds nothing out in its test split, so the bundle cannot be judged."
            return GateReport(compared_with, (sound, Check("held out", compared_with is None, said)))
        held = HeldOut.of(dataset, c.TEST).sample(config.gate.users, config.seed)
        lists = answers(new, held, config.gate.cutoff, step)
        alone = (sound, _index_recall(new, held, config), _calibration(new, lists, held, config))
        if isinstance(in_use, str):
            return GateReport(None, (*alone, Check("comparison", True, in_use)))
        return _against(in_use, new, lists, alone, held, dataset, config, step)


def _against(
    in_use: Bundle,
    new: Bundle,
    lists: Answers,
    alone: tuple[Check, ...],
    held: HeldOut,
    dataset: PreparedDataset,
    config: Config,
    step: Step,
) -> GateReport:
    translation = Translation.between(dataset, in_use)
    old = answers(in_use, held, config.gate.cutoff, step, translation)
    compared = compare(lists, old, held, in_use, translation, config)
    checks = (
        *alone,
        *_quality(compared, config),
        _coverage(lists, old, dataset.n_items, config),
        *_latency(new, in_use, translation, held, config),
    )
    return GateReport(in_use.version, checks, compared.metric, compared.parts, compared.held_out)


def _quality(compared: Comparison, config: Config) -> Iterator[Check]:
    settings, everyone = config.gate, compared.parts[0]
    enough = everyone.users >= settings.least_users
    said = f"{everyone.users} test users have something to find; {settings.least_users} are needed for a verdict."
    yield Check("held out", enough, said, everyone.users, settings.least_users)
    worst = -settings.tolerance * everyone.in_use
    passed = compared.low >= worst
    yield Check(
        "quality",
        passed,
        f"{compared.metric} is {everyone.new:.4f}, that of the bundle in use {everyone.in_use:.4f}; with "
        f"{settings.confidence:.0%} confidence the difference is at least {compared.low:+.4f}, "
        f"{'not below' if passed else 'below'} {worst:+.4f}, which may be lost.",
        compared.low,
        worst,
    )


def _coverage(new: Answers, old: Answers, n_items: int, config: Config) -> Check:
    shown, before = new.distinct(n_items), old.distinct(n_items)
    least = (1 - config.gate.coverage_loss) * before
    said = f"{shown} distinct items are in lists, {before} in those of the bundle in use; at least {least:.0f} must be."
    return Check("coverage", shown >= least, said, shown, least)


def _index_recall(new: Bundle, held: HeldOut, config: Config) -> Check:
    """Of the approximate search for the held-out users, against exact search."""
    sample = held.sample(RECALL_QUERIES, config.seed)
    two_tower, least = new.two_tower(), config.index.min_recall
    recall = two_tower.index.measure_recall(two_tower.item_embeddings, two_tower.encode(sample.queries))
    said = f"The index finds {recall:.4f} of the 100 best items; at least {least} is needed (index.min_recall)."
    return Check("index recall", recall >= least, said, recall, least)


def _latency(new: Bundle, in_use: Bundle, translation: Translation, held: HeldOut, config: Config) -> Iterator[Check]:
    settings = config.gate
    if not settings.latency_lists:
        return
    queries = held.sample(settings.latency_lists, config.seed).queries
    now, before = time_in_turns([(new, None), (in_use, translation)], queries, settings.cutoff, settings.latency_lists)
    ratio = now.median / before.median
    said = (
        f"A list takes {now.median:.2f} ms (95% within {now.p95:.2f}), one of the bundle in use {before.median:.2f} ms "
        f"({before.p95:.2f}): {ratio:.2f} times as long; at most {settings.latency_ratio} times is allowed."
    )
    yield Check("latency", ratio <= settings.latency_ratio, said, ratio, settings.latency_ratio)


def _calibration(new: Bundle, lists: Answers, held: HeldOut, config: Config) -> Check:
    """Whether shown items are chosen about as often as their confidence says."""
    calibration, most = new.manifest.serving.confidence.get(FULL), config.gate.calibration_factor
    if calibration is None:
        return Check("calibration", True, "The bundle states no confidence, so none can be wrong.")
    shown = lists.personal != NO_ITEM
    chosen = membership(lists.personal, held.relevant)[shown]
    if chosen.sum() < _LEAST_CHOSEN:
        said = f"Too few shown items were chosen, {chosen.sum()} of {len(chosen)}, to judge their confidence."
        return Check("calibration", True, said)
    confidence = logistic(calibration.scale * lists.scores[shown].astype(np.float64) + calibration.offset)
    expected, observed = float(confidence.mean()), float(chosen.mean())
    factor = max(expected / observed, observed / max(expected, np.finfo(float).tiny))
    said = (
        f"Shown items are chosen in {observed:.2%} of the cases, their confidence says {expected:.2%}: a factor of "
        f"{factor:.2f}; at most {most} is allowed."
    )
    return Check("calibration", factor <= most, said, factor, most)
