"""Measure rule sets against no rules, on the same users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from recsys.bundle import Bundle
from recsys.config import Config
from recsys.core.progress import Step
from recsys.core.queries import Queries
from recsys.core.types import Float64Array
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.measure.results import RuleCurve, RuleFigures, RuleResults
from recsys.measure.rules.outcomes import OUTCOMES, Judge, Outcomes
from recsys.measure.rules.variants import KNOBS, Variant, alone, note_on
from recsys.measure.tally import Summary
from recsys.prepare.prepared import PreparedDataset
from recsys.rules.base import RuleBase
from recsys.rules.rule import Rule

_NONE, _RULES = "none", "rules"


def measure_rules(
    bundle: Bundle,
    dataset: PreparedDataset,
    held: HeldOut,
    config: Config,
    rules: Sequence[Rule],
    *,
    scenario: str | None = None,
    step: Step | None = None,
) -> RuleResults:
    """What every rule costs and brings alone, what all do together, and what the knobs of rules do over their grids.

    Users are processed in blocks; of each variant a figure a user is kept. When a rule is valid is left out: it is
    judged as if it always were.

    Args:
        bundle: what is served.
        dataset: of the bundle.
        held: users of the split with what they chose.
        config: the number of users, whether knobs are measured, the length of the lists, the bootstrap samples and
            the seed.
        rules: of the shop.
        scenario: of the requests; rules for another one do nothing.
        step: of the run that this is; None: nobody hears of it.

    Raises:
        ConfigError: the bundle cannot follow a rule.
    """
    base = RuleBase.of(bundle)
    together = Variant.of(rules, base, scenario)
    singles = list(alone(rules, base, scenario)) if len(rules) > 1 else []  # an only rule is all rules
    variants = [together, *singles]
    knobs = KNOBS if config.evaluation.rule_knobs else ()
    turned = [[Variant.of([knob.at(value)], base, scenario) for value in knob.values] for knob in knobs]
    variants += [variant for points in turned for variant in points]
    drawn = held.sample(config.evaluation.rule_users or len(held), config.seed)
    measured = _Measured(bundle, dataset, drawn, config, variants, step or Step.silent())
    figures = measured.figures()
    points = iter(figures[2 + len(singles) :])
    of_rules = figures[2 : 2 + len(singles)] or [figures[1]] * len(rules)
    curves: list[RuleCurve] = [
        {"knob": knob.name, "points": [{"value": value, **next(points)} for value in knob.values]} for knob in knobs
    ]
    return {
        "users": len(drawn),
        "scenario": scenario,
        "none": figures[0],
        "all": figures[1],
        "rules": [
            {"id": rule.id, "type": rule.action.type, "note": note_on(rule, scenario), **own}
            for rule, own in zip(rules, of_rules, strict=True)
        ],
        "curves": curves,
    }


class _Measured:
    """The outcomes of no rules and of several variants, for the same users."""

    def __init__(
        self,
        bundle: Bundle,
        dataset: PreparedDataset,
        held: HeldOut,
        config: Config,
        variants: Sequence[Variant],
        step: Step,
    ) -> None:
        self._config, self._judge = config, Judge.of_items(dataset.items)
        self._outcomes = [Outcomes(len(held), dataset.n_items) for _ in range(1 + len(variants))]
        self._recommender, self._k = bundle.recommender(), main_cutoff(config.evaluation.cutoffs)
        with step.bar("Lists", len(held) * (1 + len(variants))) as bar:
            for rows, block in held.blocks(dataset.n_items):
                self._add(rows, block, self._with_ids(block.queries, dataset, variants), variants)
                bar.advance(len(block) * (1 + len(variants)))

    def _add(self, rows: slice, block: HeldOut, queries: Queries, variants: Sequence[Variant]) -> None:
        exclude_seen, chosen = not block.repeats, block.wanted
        unruled = self._recommender.recommend(queries, self._k, exclude_seen=exclude_seen).items
        own = self._judge.outcomes(unruled, queries.histories, chosen)
        self._outcomes[0].add(rows, unruled, own, unruled)
        for variant, outcomes in zip(variants, self._outcomes[1:], strict=True):
            if variant.policy is None:
                outcomes.add(rows, unruled, own, unruled)
                continue
            lists = self._recommender.recommend(
                queries, self._k, exclude_seen=exclude_seen, policy=variant.policy
            ).items
            outcomes.add(rows, lists, self._judge.outcomes(lists, queries.histories, chosen), unruled)

    @staticmethod
    def _with_ids(queries: Queries, dataset: PreparedDataset, variants: Sequence[Variant]) -> Queries:
        if not any(variant.reads_user_id for variant in variants):
            return queries
        return replace(queries, ids=tuple(str(user) for user in dataset.user_ids[queries.users]))

    def figures(self) -> list[RuleFigures]:
        """Of no rules, then of the variants."""
        tables: list[RuleFigures] = [
            {
                "figures": {},
                "differences": {},
                "coverage": float(outcomes.shown.mean()),
                "lists_changed": float(outcomes.changed.mean()),
            }
            for outcomes in self._outcomes
        ]
        changing = [0, *(number for number, outcomes in enumerate(self._outcomes) if outcomes.changed.any())]
        for outcome in OUTCOMES:
            columns = {number: self._outcomes[number].figures[outcome] for number in changing}
            for together in _of_the_same_users(columns):
                self._summarise(outcome, {number: columns[number] for number in together}, tables)
        for number, table in enumerate(tables):
            if number not in changing:  # the same to the last bit, which resampling need not be
                table["figures"], table["differences"] = tables[0]["figures"], tables[0]["differences"]
        return tables

    def _summarise(self, outcome: str, columns: dict[int, Float64Array], tables: Sequence[RuleFigures]) -> None:
        """Write the figures of some variants, the first of which is that without rules, to their tables."""
        figures = {str(number): {outcome: column} for number, column in columns.items()}
        summary = Summary(figures, self._config.evaluation.bootstrap_samples, self._config.seed)
        for name, found in summary.table().items():
            table = tables[int(name)]
            if outcome not in table["figures"]:  # of no rules the figure of all users, not that beside a variant
                table["figures"] |= found
                table["differences"][outcome] = summary.difference(name, "0", outcome)


def _of_the_same_users(columns: Mapping[int, Float64Array]) -> Iterator[list[int]]:
    """Which columns to compare with number 0 at once: those defined for the same users; any other by itself.

    So no rule that leaves lists empty takes users from the figures of another one.
    """
    undefined = {number: np.isnan(column) for number, column in columns.items()}
    alike = [number for number, mask in undefined.items() if (mask == undefined[0]).all()]
    yield alike
    yield from ([0, number] for number in columns if number not in alike)
