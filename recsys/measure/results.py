"""The results of an evaluation as types: what `evaluator.evaluate` returns, and what lies in metrics.json.

They are plain dictionaries, so that they are JSON as they are; a key that is not here is refused by the type checker.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Estimate(TypedDict):
    """A figure and the 95% interval of its resamples."""

    mean: float
    low: float
    high: float


Figures = dict[str, Estimate]
"""By metric and cutoff, such as "ndcg@10"."""


class BeyondAccuracy(TypedDict):
    """See `tally.Tally.beyond_accuracy`."""

    coverage: dict[str, float]
    popularity_lift: dict[str, float | None]
    diversity: float | None


class SystemResults(BeyondAccuracy):
    """Of a system's lists under one protocol."""

    metrics: Figures


class ProtocolResults(TypedDict):
    """Of all systems under one protocol."""

    users: int
    systems: dict[str, SystemResults]


class Comparison(Estimate):
    """Mean of the users' differences of two systems, system - other, with its paired interval."""

    system: str
    other: str
    metric: str


class HistorySlice(TypedDict):
    """Users with a history of like length."""

    label: str
    users: int
    systems: dict[str, Figures]


class PopularitySlice(HistorySlice):
    """Items of like popularity, they alone being relevant."""

    items: int


class Slices(TypedDict):
    """The same figures of parts of the users, and of parts of the items."""

    history_length: list[HistorySlice]
    item_popularity: list[PopularitySlice]


class AmongNewItems(TypedDict):
    """New items ranked by themselves."""

    users: int
    systems: dict[str, Figures]


class NewItemFigures(TypedDict):
    """Of a system: with new items alone being relevant, with all others, and the quotient of both."""

    cold: Figures
    warm: Figures | None
    ratio: dict[str, Estimate | None]


class NewItems(TypedDict):
    """Items without train interactions beside all others, as far as anybody chose one."""

    items: int
    users: dict[str, int]
    systems: dict[str, NewItemFigures]
    among_themselves: NotRequired[AmongNewItems | None]


class SearchResults(TypedDict):
    """Of approximate search: the share of the exact list at `depth` that is in the approximate one."""

    depth: int
    recall: float | None
    changed: dict[str, float | None]


class RankerResults(TypedDict):
    """What the ranker changes of the two-tower's lists."""

    changed: dict[str, float | None]


class Choices(TypedDict):
    """What users chose, as far as anything of it is counted."""

    users: int
    figures: Figures | None


class VarietyResults(TypedDict):
    """See `variety.Variety`: of lists at the main cutoff under the headline protocol.

    `choices` are `of_last` of what the users chose; `known_share` is that of the catalogue which has a group.
    """

    users: int
    known_share: float
    systems: dict[str, Figures]
    choices: Choices


class RankingFigures(TypedDict):
    """What one pass over the users gives."""

    ranking: dict[str, ProtocolResults]
    comparisons: list[Comparison]
    slices: Slices
    cold_items: NewItems | None
    ann: SearchResults
    ranker: RankerResults
    diversity_known_share: float
    variety: dict[str, VarietyResults]
    repeated_targets: int


class RankingResults(RankingFigures):
    """The same, with the names of the systems."""

    systems: list[str]


class Protocol(TypedDict):
    """Who was asked for what."""

    split: str
    fitted_on: list[str]
    history: list[str]
    users: int
    users_of_split: int
    users_without_history: int
    targets: int
    mean_history: float
    catalogue: int
    cutoffs: list[int]
    main_cutoff: int
    protocols: list[str]
    headline_protocol: str
    bootstrap_samples: int
    seed: int


class BestBaseline(TypedDict):
    """See `best_baseline.best_baseline`."""

    name: str
    single: str | None
    chosen_on: str
    figures: dict[str, float]
    highest_here: str
    gain: Estimate | None


class CandidateRecall(TypedDict):
    """See `candidate_recall.candidate_recall`."""

    users: int
    mean_count: float
    recall: Estimate


class NewUsersRow(TypedDict):
    """Users of whom so many interactions are read; None: all."""

    history: int | None
    systems: dict[str, Figures]


class NewUsers(TypedDict):
    """See `cold_start.new_users`."""

    users: int
    systems: list[str]
    rows: list[NewUsersRow]


class WithAttributes(TypedDict):
    """Of a system, with what is known of users' attributes and without; see `user_attributes`."""

    known: Figures
    hidden: Figures
    differences: Figures


class UserAttributes(TypedDict):
    """See `user_attributes.what_attributes_bring`."""

    attributes: list[str]
    users: int
    systems: dict[str, WithAttributes]


class RatingErrors(TypedDict):
    """Of one model."""

    rmse: Estimate
    mae: Estimate


class RatingResults(TypedDict):
    """See `ratings.evaluate_ratings`; the gaps are of the head's RMSE, and name the model they are to."""

    count: int
    users: int
    train_mean: float
    tuned_damping: dict[str, Any]
    head_damping: float
    factor_models: dict[str, dict[str, Any]]
    models: dict[str, RatingErrors]
    head_minus_bias: NotRequired[dict[str, Any]]
    head_minus_svd: NotRequired[dict[str, Any]]
    head_minus_svdpp: NotRequired[dict[str, Any]]


class ReliabilityBin(TypedDict):
    """Predictions of like height, and the mean of the ratings given."""

    low: float
    high: float
    predicted: float
    actual: Estimate
    count: int


class Reliability(TypedDict):
    """See `rating_calibration.reliability`."""

    error: float
    bins: list[ReliabilityBin]


class OrderFigures(TypedDict):
    """Of an order in which histories are left out; see `explanations.fidelity`."""

    figures: Figures
    curves: dict[str, list[float]]


class OrderDifference(Estimate):
    """Mean of the users' differences of two orders, order - other, with its paired interval."""

    order: str
    other: str
    metric: str


class Fidelity(TypedDict):
    """See `explanations.fidelity.fidelity`; curves are mean heights at `shares` of the history."""

    users: int
    shares: list[float]
    orders: dict[str, OrderFigures]
    differences: list[OrderDifference]


class Agreement(TypedDict):
    """Whether the history item that a reason names is the one without which the listed item's score falls most.

    `chance` is that of an item drawn from the same histories; the users' shares are averaged.
    """

    users: int
    entries: int
    share: Estimate
    chance: float
    by_source: dict[str, dict[str, float]]


class ReasonFigures(TypedDict):
    """See `explanations.reasons.reason_figures`."""

    users: int
    entries: int
    personal: Estimate
    distinct: Estimate | None
    kinds: Estimate | None


class Additivity(TypedDict):
    """Errors of the sums of contributions, in units of the score."""

    items: int
    largest: float
    median: float


class Explanations(TypedDict):
    """See `explanations.measure.measure_explanations`; a part that could not be measured is None.

    `left_out` counts by cause the users of whom there are no curves.
    """

    not_measured: str | None
    users: int
    left_out: dict[str, int]
    fidelity: Fidelity | None
    reasons: ReasonFigures | None
    agreement: Agreement | None
    additivity: Additivity | None


class RuleFigures(TypedDict):
    """Of lists made by a rule set; see `rules.outcomes`.

    `differences` are those to no rules, user by user, with paired intervals, of the users for whom both are defined; a
    figure without such users is left out. `coverage` is the share of the catalogue in at least one list,
    `lists_changed` that of the users whose list is another one than without rules.
    """

    figures: Figures
    differences: Figures
    coverage: float
    lists_changed: float


class OneRule(RuleFigures):
    """Of a rule alone; the note says why it may act on no list."""

    id: str
    type: str
    note: str | None


class RulePoint(RuleFigures):
    """Of a knob at a value."""

    value: float


class RuleCurve(TypedDict):
    """Of a knob, no other rule acting; see `rules.variants.KNOBS`."""

    knob: str
    points: list[RulePoint]


class RuleResults(TypedDict):
    """See `rules.measure.measure_rules`."""

    users: int
    scenario: str | None
    none: RuleFigures
    all: RuleFigures
    rules: list[OneRule]
    curves: list[RuleCurve]


BundleFigures = dict[str, dict[str, dict[str, float | None]]]
"""Protocol -> system -> metric -> mean."""
Spread = dict[str, dict[str, dict[str, dict[str, float] | None]]]
"""Protocol -> system -> metric -> mean and standard deviation; None where a bundle has no figure."""


class SeedBundle(TypedDict):
    """One of several bundles that differ by their seed."""

    version: str
    seed: int | None
    changed_settings: dict[str, list[Any]]
    figures: BundleFigures


class Seeds(TypedDict):
    """See `seeds.evaluate_seeds`."""

    bundles: list[SeedBundle]
    spread: Spread


class Measured(RankingFigures):
    """All that a report puts no words to."""

    best_baseline: BestBaseline | None
    candidates: CandidateRecall | None
    new_users: NewUsers | None
    user_attributes: UserAttributes | None
    ratings: RatingResults | None
    calibration: Reliability | None
    explanations: Explanations | None
    rules: RuleResults | None


class Results(Measured):
    """Of an evaluation: systems and protocols by name."""

    systems: list[str]
    protocol: Protocol
