"""Tuning on validation: the settings of each source, the weights of a hybrid.

The figure to beat is NDCG at the main cutoff, seen items removed unless repeats are predicted, on a seeded sample of
validation users. Every source has the same budget, `retrieval.trials` settings, see `tuning_budget`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.config import Config
from recsys.core.errors import ConfigError
from recsys.core.queries import Queries
from recsys.core.types import Float64Array
from recsys.measure.metrics import Relevant, ranking_metrics
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.sources.base import Source
from recsys.sources.fitting import FitData
from recsys.sources.leads import Leads
from recsys.sources.recipes import Chosen, Recipe
from recsys.sources.registry import BLEND, TWO_TOWER
from recsys.train.candidate_scores import BLOCK_USERS, CandidateScores, highest_of, typical
from recsys.train.tuning_budget import Deadline, groups_to_try, most_fits

Progress = Callable[[int], None]

ALPHAS = np.round(np.arange(11) / 10, 1)
_FIRST_SHARES = (0.25, 0.5, 1.0, 2.0)  # of a member that joins, relative to the loudest one
_FACTORS = (0.0, 0.5, 0.7, 1.4, 2.0)
_LEAST_GAIN = 0.002  # relative; less is within the noise of ten thousand users and not worth another member
_MOST_ROUNDS = 4
_SCALE_QUERIES = 1000
NEVER = Deadline()


@dataclass(frozen=True)
class Tuned:
    """A source with the best settings tried, and what was tried.

    Attributes:
        source: fitted with `settings`.
        settings: of the grid.
        report: "chosen" (the settings), "metric" (such as "ndcg@10"), "users" (those of validation with an unseen
            relevant item), "tried", one entry for each setting with the metric's figure, in the order tried, and
            "untried", how many settings of the grid were "beyond_budget" and "out_of_time"; and "measured", what the
            source's fit measured of itself, if it did.
    """

    source: Source
    settings: Chosen
    report: dict[str, Any]


def settings_to_try(recipe: Recipe, data: FitData, config: Config) -> list[list[Chosen]]:
    """The settings of a source's grid that the budget allows, those of one fit together."""
    trials = config.retrieval.trials
    return groups_to_try(recipe.grid(), recipe.same_fit, trials, most_fits(trials, data), config.seed)


def tune_source(
    recipe: Recipe,
    data: FitData,
    held: HeldOut | None,
    config: Config,
    progress: Progress = lambda _: None,
    deadline: Deadline = NEVER,
) -> Tuned:
    """Fit a source with each setting of its grid and keep the best on validation, of equals the first.

    Of a grid beyond the budget (see `tuning_budget.most_fits`) a seeded sample is tried, whole groups of settings that
    share one fit, since trying another recency decay costs little beside another fit. Of these none is begun that is
    expected, by the longest until then, to take longer than the deadline leaves; the first always is.

    Args:
        recipe: of the source.
        data: what to fit on.
        held: validation; None: the first setting is taken, untried.
        config: `retrieval`, the cutoffs and the seed.
        progress: called with the number of settings finished since the last call.
        deadline: see above.
    """
    cutoff = main_cutoff(config.evaluation.cutoffs)
    metric = f"ndcg@{cutoff}"
    settings = recipe.grid()
    if held is None:
        report = {"chosen": settings[0], "metric": metric, "users": 0, "tried": []}
        return _tuned(recipe.fitted(data, settings[0]), settings[0], report)
    held = tuning_sample(held, config)
    relevant = held.wanted
    best: tuple[float, Source, Chosen] | None = None
    tried: list[Chosen] = []
    groups = settings_to_try(recipe, data, config)
    longest_fit, longest_trial = 0.0, 0.0
    for group in groups:
        if best is not None and not deadline.leaves(longest_fit + longest_trial):
            break
        started = time.monotonic()
        fitted = recipe.fitted(data, group[0])
        longest_fit = max(longest_fit, time.monotonic() - started)
        for setting in group:
            if best is not None and not deadline.leaves(longest_trial):
                break
            started = time.monotonic()
            source = recipe.adapted(fitted, setting)
            figure = _ndcg(source, held, relevant, cutoff)
            longest_trial = max(longest_trial, time.monotonic() - started)
            tried.append({**setting, metric: figure})
            if best is None or figure > best[0]:
                best = figure, source, setting
            progress(1)
    assert best is not None  # noqa: S101  a grid has at least one setting
    in_budget = sum(map(len, groups))
    report = {
        "chosen": best[2],
        "metric": metric,
        "users": int((relevant.counts > 0).sum()),
        "tried": tried,
        "untried": {"beyond_budget": len(settings) - in_budget, "out_of_time": in_budget - len(tried)},
    }
    return _tuned(best[1], best[2], report)


def _tuned(source: Source, settings: Chosen, report: dict[str, Any]) -> Tuned:
    return Tuned(source, settings, {**report, "measured": dict(source.measured)} if source.measured else report)


def tune_hybrid(
    members: Mapping[str, Source],
    held: HeldOut | None,
    config: Config,
    *,
    queries: Queries,
    scores: CandidateScores | None = None,
    progress: Progress = lambda _: None,
) -> tuple[dict[str, float], dict[str, Any]]:
    """Weights of a `Hybrid` of `members`: those of the config, or else the best found on validation.

    A member's share is its weight times its typical highest contribution, so that equal shares are equally loud. The
    config names shares. To find them, the best member is taken, then the member and share that help most join as
    long as one helps (greedy forward selection); then each share in turn is scaled up, down or to 0 as long as that
    helps (coordinate search).

    Args:
        members: by name, all over the same catalogue.
        held: validation; None: without shares in the config every member gets the same.
        config: `retrieval`, the cutoffs and the seed.
        queries: such as those of training users, on a sample of which contributions are measured where there
            is no validation.
        scores: of at least the members for `tuning_sample(held, config)`, if they are at hand.
        progress: called with the number of settings tried since the last call.

    Returns:
        The weights of the members chosen, which `Hybrid` takes; and a report: "weights", "shares" (which add up to
        1), "metric", its figure under the metric's name (None without validation), "users", and "tried", the number
        of settings.

    Raises:
        ConfigError: `retrieval.hybrid_weights` names no source of the config, or none of the members.
    """
    cutoff = main_cutoff(config.evaluation.cutoffs)
    metric = f"ndcg@{cutoff}"
    given = _given_shares(members, config)
    figure, users, tried = None, 0, 0
    if held is None:
        shares = np.ones(len(members)) if given is None else given
        scales = _scales(members, queries, config.seed)
    else:
        scores = CandidateScores.of(members, tuning_sample(held, config)) if scores is None else scores
        search = _ShareSearch(scores.only(list(members)), cutoff, progress)
        shares = search.run() if given is None else given
        figure, users, tried = search.figure(shares), scores.users, search.tried
        scales = search.scores.scales
    shares = shares / shares.sum()
    chosen = {name: number for number, name in enumerate(members) if shares[number] > 0}
    weights = {name: float(shares[number] / scales[number]) for name, number in chosen.items()}
    report = {
        "weights": weights,
        "shares": {name: float(shares[number]) for name, number in chosen.items()},
        "metric": metric,
        metric: figure,
        "users": users,
        "tried": tried,
    }
    return weights, report


def weights_of(names: Sequence[str], scores: CandidateScores, cutoff: int, progress: Progress) -> dict[str, float]:
    """The best weights of a hybrid of the named sources for the users of `scores`, found as `tune_hybrid` does."""
    search = _ShareSearch(scores.only(names), cutoff, progress)
    weights = search.run() / search.scores.scales
    return {name: float(weight) for name, weight in zip(names, weights, strict=True) if weight > 0}


def alpha_sweep(two_tower: Source, blend: Source, held: HeldOut, config: Config) -> list[dict[str, float]]:
    """NDCG and recall on validation between the two-tower alone (alpha 0) and the blend alone (alpha 1).

    A step's scores are (1 - alpha) * two-tower + alpha * blend, each above its floor and divided by its typical
    highest contribution.

    Returns:
        One {"alpha", "ndcg@<k>", "recall@<k>"} for alpha 0, 0.1 ... 1, with k the main cutoff.
    """
    scores = CandidateScores.of({TWO_TOWER: two_tower, BLEND: blend}, tuning_sample(held, config))
    cutoff = main_cutoff(config.evaluation.cutoffs)
    return [
        {"alpha": float(alpha), **scores.figures(np.array([1 - alpha, alpha]) / scores.scales, cutoff)}
        for alpha in ALPHAS
    ]


def tuning_sample(held: HeldOut, config: Config) -> HeldOut:
    """The validation users on which everything is tuned."""
    return held.sample(config.retrieval.tuning_users, config.seed)


class _ShareSearch:
    """Looks for the shares of the highest NDCG.

    Attributes:
        scores: of the members.
        tried: settings tried so far.
    """

    def __init__(self, scores: CandidateScores, cutoff: int, progress: Progress) -> None:
        self.scores, self.tried = scores, 0
        self._cutoff, self._progress = cutoff, progress

    def figure(self, shares: Float64Array) -> float:
        """NDCG of `shares` [M]."""
        return self.scores.figures(shares / self.scores.scales, self._cutoff)[f"ndcg@{self._cutoff}"]

    def run(self) -> Float64Array:
        """The best shares found, float64 [M]."""
        shares, best = self._select()
        for _ in range(_MOST_ROUNDS):
            before = best
            for member in np.flatnonzero(shares):
                shares, best = self._best([_with(shares, member, shares[member] * f) for f in _FACTORS], shares, best)
            if best <= before * (1 + _LEAST_GAIN):
                break
        return shares

    def _select(self) -> tuple[Float64Array, float]:
        """Forward selection: shares, and their figure."""
        nothing = np.zeros(len(self.scores.names))
        shares, best = self._best([_with(nothing, member, 1.0) for member in range(len(nothing))], nothing, -1.0)
        while True:
            joined = [
                _with(shares, member, share * shares.max())
                for member in np.flatnonzero(shares == 0)
                for share in _FIRST_SHARES
            ]
            grown, figure = self._best(joined, shares, best)
            if figure <= best * (1 + _LEAST_GAIN):
                return shares, best
            shares, best = grown, figure

    def _best(self, options: list[Float64Array], shares: Float64Array, best: float) -> tuple[Float64Array, float]:
        """The best of `options` and of `shares`, whose figure is `best`; of equals the first."""
        for option in options:
            if option.any():
                figure = self.figure(option)
                self.tried += 1
                self._progress(1)
                if figure > best:
                    shares, best = option, figure
        return shares, best


def _with(shares: Float64Array, member: int | np.integer, share: float) -> Float64Array:
    changed = shares.copy()
    changed[member] = share
    return changed


def _given_shares(members: Mapping[str, Source], config: Config) -> Float64Array | None:
    given = config.retrieval.hybrid_weights
    if given is None:
        return None
    allowed = [TWO_TOWER, *config.retrieval.names]
    shares = np.array([given.get(name, 0.0) for name in members])
    if not set(given) <= set(allowed) or not shares.any():
        raise ConfigError(
            f"retrieval.hybrid_weights of {', '.join(members)}, one of them above 0",
            str(dict(given)),
            f"name any of {', '.join(allowed)}; or set null to have the weights tuned",
        )
    return shares


def _scales(members: Mapping[str, Source], queries: Queries, seed: int) -> Float64Array:
    """Typical highest contribution of each member to a seeded sample of queries: float64 [M]."""
    rows = np.random.default_rng(seed).permutation(len(queries))[:_SCALE_QUERIES]
    sources = list(members.values())
    blocks = queries.select(rows).blocks(BLOCK_USERS)
    best = [highest_of(Leads.of(sources, block).best(1, exclude_seen=True)) for _, block in blocks]
    return typical(np.concatenate([np.zeros((len(members), 0)), *best], axis=1))


def _ndcg(source: Source, held: HeldOut, relevant: Relevant, cutoff: int) -> float:
    """Mean NDCG of the users with a relevant item, seen items removed unless repeats are predicted; 0 without users."""
    best = source.propose(held.queries, cutoff, exclude_seen=not held.repeats)
    figures = ranking_metrics(best.items, relevant, [cutoff])[f"ndcg@{cutoff}"]
    counted = figures[relevant.counts > 0]
    return float(counted.mean(dtype=np.float64)) if len(counted) else 0.0
