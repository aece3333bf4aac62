"""Verdicts: the states and their reasons, in experiments small enough to see why."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.experiments.experiment import Guardrail
from recsys.experiments.findings import Interval
from recsys.experiments.observations import UnitDay
from recsys.experiments.statistics.contrasts import contrast, mean_by_user
from recsys.experiments.statistics.sequences import first_tau, fixed_multiplier, multiplier, p_value
from recsys.experiments.verdict import verdict
from tests.support.unit_days import an_experiment, shoppers


def codes(verdict_of_variant):
    return [reason.code for reason in verdict_of_variant.reasons]


def only(found):
    (variant,) = found.variants
    return variant


def test_a_look_is_the_formula_of_its_numbers():
    rows = shoppers(400, 3, {"old": 0.1, "new": 0.12})
    look = only(verdict(an_experiment(), rows)).latest
    ctr = look.metrics[0]
    sums = {}
    for row in rows:
        of_user = sums.setdefault(row.variant, {}).setdefault(row.unit, [0, 0])
        of_user[0] += row.clicks
        of_user[1] += row.impressions
    control, variant = (mean_by_user(*np.array(list(sums[name].values()), float).T) for name in ("old", "new"))
    difference = contrast(control, variant)
    assert ctr.metric == "ctr"
    assert (ctr.control_users, ctr.users) == (len(sums["old"]), len(sums["new"]))
    assert ctr.control_mean == pytest.approx(
        sum(clicks for clicks, _ in sums["old"].values()) / sum(seen for _, seen in sums["old"].values())
    )
    assert ctr.difference == pytest.approx(difference.value)
    reach = fixed_multiplier(0.05) * difference.error
    assert ctr.fixed == Interval(pytest.approx(difference.value - reach), pytest.approx(difference.value + reach))


def test_the_first_look_has_the_clock_at_its_beginning():
    rows = shoppers(800, 1, {"old": 0.1, "new": 0.12})
    ctr = only(verdict(an_experiment(), rows)).latest.metrics[0]
    error = (ctr.fixed.high - ctr.fixed.low) / 2 / fixed_multiplier(0.05)
    tau = first_tau(0.05)
    assert (ctr.interval.high - ctr.interval.low) / 2 == pytest.approx(multiplier(tau, 0.05) * error)
    assert ctr.p == pytest.approx(p_value(ctr.difference / error, tau))


def test_a_clear_difference_is_better_and_names_the_winner():
    found = verdict(an_experiment(), shoppers(2000, 7, {"old": 0.08, "new": 0.12}))
    assert (found.state, found.winner) == ("better", "new")
    variant = only(found)
    assert codes(variant) == ["primary_better"]
    assert variant.decided_on == next(look.day for look in variant.looks if look.state == "better")
    assert found.users["old"] + found.users["new"] == variant.latest.metrics[0].users + found.users["old"]


def test_the_other_way_round_it_is_worse():
    found = verdict(an_experiment(), shoppers(2000, 7, {"old": 0.12, "new": 0.08}))
    assert (found.state, found.winner) == ("worse", None)
    assert codes(only(found)) == ["primary_worse"]


def test_no_difference_is_undecided():
    found = verdict(an_experiment(), shoppers(2000, 7, {"old": 0.1, "new": 0.1}))
    assert found.state == "undecided"
    assert codes(only(found)) == ["primary_open"]
    assert only(found).decided_on is None


def test_few_users_are_too_early():
    found = verdict(an_experiment(least_users=100), shoppers(150, 7, {"old": 0.08, "new": 0.5}))
    assert found.state == "too_early"
    assert [dict(reason.numbers)["least"] for reason in only(found).reasons] == [100, 100]
    assert only(found).latest.metrics[0].interval is None
    assert only(found).latest.metrics[0].difference > 0


def test_few_cases_are_too_early():
    found = verdict(an_experiment(primary="conversion_rate"), shoppers(500, 7, {"old": 0.1, "new": 0.1}))
    (reason,) = only(found).reasons
    assert found.state == "too_early"
    assert (reason.code, reason.numbers) == ("few_cases", {"metric": "conversion_rate", "users": 0, "least": 40})


def test_nobody_at_all_is_too_early():
    found = verdict(an_experiment(), [])
    assert (found.state, [reason.code for reason in found.reasons]) == ("too_early", ["no_users"])
    assert found.users == {"old": 0, "new": 0}
    assert only(found).latest is None


def test_an_uneven_split_blocks():
    rows = shoppers(2000, 3, {"old": 0.08, "new": 0.2})
    kept = [row for row in rows if row.variant == "old" or int(row.unit[1:]) % 4 == 1]
    found = verdict(an_experiment(), kept)
    assert found.state == "blocked"
    assert [reason.code for reason in found.reasons] == ["uneven_split"]
    assert found.split_p < 0.001
    assert only(found).state == "blocked"
    assert found.winner is None


def test_weights_say_what_an_even_split_is():
    experiment = an_experiment()
    weighted = experiment.model_copy(
        update={
            "variants": tuple(
                v.model_copy(update={"weight": w}) for v, w in zip(experiment.variants, (2, 1), strict=True)
            )
        }
    )
    rows = shoppers(2000, 3, {"old": 0.08, "new": 0.2})
    kept = [row for row in rows if row.variant == "old" or int(row.unit[1:]) % 4 == 1]
    assert verdict(weighted, kept).split_p == 1.0


def test_users_in_several_variants_are_left_out_and_too_many_block():
    rows = shoppers(2000, 3, {"old": 0.1, "new": 0.1})
    few = [next(row for row in rows if row.variant == "new")._replace(variant="old")]
    found = verdict(an_experiment(), rows + few)
    assert found.excluded == 1
    assert (found.reasons[0].code, found.reasons[0].blocks) == ("users_in_several_variants", False)
    assert found.state == "undecided"
    many = [row._replace(variant="old") for row in rows if row.variant == "new" and int(row.unit[1:]) % 50 == 1]
    found = verdict(an_experiment(), rows + many)
    assert found.reasons[0].blocks
    assert found.state == "blocked"


def test_a_log_that_begins_after_the_experiment_blocks():
    experiment = an_experiment(started_at=1000.0)
    rows = shoppers(500, 3, {"old": 0.1, "new": 0.1})
    assert verdict(experiment, rows, kept_since=1001.0).state == "blocked"
    assert verdict(experiment, rows, kept_since=1000.0).state == "blocked", "one of that very moment is gone"
    assert verdict(experiment, rows, kept_since=999.0).state == "undecided"


def test_lists_made_as_without_the_experiment_are_told_and_many_block():
    rows = shoppers(500, 3, {"old": 0.1, "new": 0.1})
    some = [row._replace(undelivered=row.variant == "new" and row.unit == "u1") for row in rows]
    found = verdict(an_experiment(), some)
    assert (found.reasons[0].code, found.reasons[0].blocks) == ("undelivered", False)
    assert found.reasons[0].numbers["variant"] == "new"
    rest = [row._replace(undelivered=row.lists if row.variant == "new" else 0) for row in rows]
    assert verdict(an_experiment(), rest).state == "blocked"


def slower(rows, factor):
    return [
        row._replace(milliseconds=row.milliseconds * (factor if row.variant == "new" else 1) * (1 + hash_of(row.unit)))
        for row in rows
    ]


def hash_of(unit):
    return int(unit[1:]) % 7 / 70


GUARDED = an_experiment(guardrails=(Guardrail(metric="latency_ms", most=0.1),))


@pytest.mark.parametrize(
    ("factor", "state", "code"),
    [
        (1.0, "better", "guardrail_kept"),
        (0.5, "better", "guardrail_kept"),
        (1.1, "undecided", "guardrail_open"),
        (1.5, "worse", "guardrail_broken"),
    ],
)
def test_a_better_variant_must_keep_its_guardrails(factor, state, code):
    rows = slower(shoppers(2000, 7, {"old": 0.08, "new": 0.12}, milliseconds=20.0), factor)
    found = verdict(GUARDED, rows)
    assert (found.state, codes(only(found))) == (state, ["primary_better", code])
    (guardrail,) = only(found).latest.guardrails
    assert guardrail.worse_by == pytest.approx(factor - 1, abs=0.02)
    assert guardrail.interval.low < guardrail.worse_by < guardrail.interval.high


def test_a_guardrail_of_more_is_better_has_its_sign_turned():
    experiment = an_experiment(primary="clicks_per_user", guardrails=(Guardrail(metric="ctr", most=0.1),))
    found = verdict(experiment, shoppers(2000, 7, {"old": 0.12, "new": 0.08}))
    (guardrail,) = only(found).latest.guardrails
    assert guardrail.state == "broken"
    assert guardrail.worse_by == pytest.approx(1 / 3, abs=0.05)


def test_no_worse_is_what_the_guardrail_of_the_primary_metric_says():
    experiment = an_experiment(guardrails=(Guardrail(metric="ctr", most=0.2),))
    found = verdict(experiment, shoppers(4000, 7, {"old": 0.1, "new": 0.1}))
    assert found.state == "no_worse"
    assert codes(only(found)) == ["primary_open", "guardrail_kept"]


def test_what_neither_variant_ever_had_stands_in_nobodys_way():
    experiment = an_experiment(guardrails=(Guardrail(metric="fallback_rate", most=0.1),))
    found = verdict(experiment, shoppers(2000, 7, {"old": 0.08, "new": 0.12}))
    assert (found.state, codes(only(found))) == ("better", ["primary_better", "guardrail_none_seen"])


def test_a_guardrail_that_was_broken_is_remembered():
    early = slower(shoppers(2000, 2, {"old": 0.08, "new": 0.12}, milliseconds=20.0), 1.6)
    late = slower(shoppers(2000, 20, {"old": 0.08, "new": 0.12}, milliseconds=20.0, first_day=20_002), 0.9)
    variant = only(verdict(GUARDED, early + late))
    assert variant.state == "better"
    assert codes(variant) == ["primary_better", "guardrail_kept", "guardrail_was_broken"]
    assert variant.reasons[-1].numbers == {"metric": "latency_ms", "day": 20_000}
    assert variant.looks[0].state == "worse"


def test_a_decision_stays_and_what_speaks_against_it_later_is_told():
    rows = shoppers(2000, 4, {"old": 0.08, "new": 0.11}) + shoppers(
        2000, 4, {"old": 0.11, "new": 0.08}, seed=1, first_day=20_004
    )
    variant = only(verdict(an_experiment(), rows))
    assert variant.looks[3].state == "better"
    assert variant.state == "better"
    assert codes(variant) == ["primary_better", "interval_open_again"]
    turned = rows + shoppers(2000, 14, {"old": 0.12, "new": 0.06}, seed=2, first_day=20_008)
    variant = only(verdict(an_experiment(), turned))
    assert variant.state == "undecided"
    assert codes(variant) == ["primary_better", "primary_turned"]


def test_several_variants_share_the_level_and_holm_gives_the_rest_of_it_to_the_next():
    rows = shoppers(3000, 7, {"old": 0.08, "new": 0.12, "same": 0.08})
    found = verdict(an_experiment("old", "new", "same"), rows)
    assert found.level == 0.025
    assert (found.state, found.winner) == ("better", "new")
    assert [variant.state for variant in found.variants] == ["better", "undecided"]


def test_holm_decides_upon_a_variant_that_its_own_share_of_the_level_would_not():
    for seed in range(40):
        rows = shoppers(1500, 5, {"old": 0.08, "new": 0.2, "some": 0.1}, seed=seed)
        found = verdict(an_experiment("old", "new", "some"), rows)
        some = found.variants[1]
        if some.latest.metrics[0].p > found.level and some.decided_on:
            assert some.latest.metrics[0].p <= found.alpha
            return
    pytest.fail("expected an experiment in which the second step of Holm's procedure decides, got none of 40")


def test_revenue_is_cut_at_a_quantile_of_those_who_bought():
    rows = shoppers(1000, 3, {"old": 0.1, "new": 0.1})
    users = sorted({row.unit for row in rows}, key=lambda unit: int(unit[1:]))[:100]
    spent = {unit: float(place + 1) for place, unit in enumerate(users)}  # 1 to 100
    seen = set()
    paid = []
    for row in rows:
        paid.append(row._replace(revenue=0.0 if row.unit in seen else spent.get(row.unit, 0.0)))
        seen.add(row.unit)
    look = only(verdict(an_experiment(primary="revenue_per_user", winsorised=0.9), paid)).latest
    revenue = look.metrics[0]
    assert revenue.cut_at == pytest.approx(np.quantile(np.arange(1, 101), 0.9))
    assert revenue.cut == 10
    total = revenue.mean * revenue.users + revenue.control_mean * revenue.control_users
    assert total == pytest.approx(np.minimum(np.arange(1, 101), revenue.cut_at).sum())
    assert [metric.cut for metric in look.metrics[1:]] == [None] * 8


def test_what_users_did_before_narrows_the_interval():
    rng = np.random.default_rng(5)
    rows, before = [], {}
    for user in range(2000):
        liking = rng.gamma(1.0)
        before[f"u{user}"] = float(rng.poisson(10 * liking))
        clicks = int(rng.poisson(2 * liking * (1.1 if user % 2 else 1)))
        rows.append(UnitDay(f"u{user}", "new" if user % 2 else "old", 1, lists=1, impressions=50, clicks=clicks))
    plain, helped = (only(verdict(an_experiment(), rows, what)).latest.metrics[0] for what in (None, before))
    width = {name: of.interval.high - of.interval.low for name, of in (("plain", plain), ("helped", helped))}
    assert plain.variance_saved is None
    assert helped.variance_saved == pytest.approx(1 - (width["helped"] / width["plain"]) ** 2)
    assert helped.variance_saved > 0.4
    assert helped.raw_difference == plain.difference
    assert (helped.mean, helped.control_mean) == (plain.mean, plain.control_mean)


def teams(users, days, rates, seed=0):
    """Interleaved lists: both teams have the lists, clicks are of the one that brought the item."""
    rng, rows = np.random.default_rng(seed), []
    for user in range(users):
        liking = rng.gamma(1.0)
        for day in range(days):
            for team, rate in rates.items():
                clicks = int(rng.binomial(4, min(1, rate * liking)))
                rows.append(UnitDay(f"u{user}", team, day, lists=1, impressions=8, clicks=clicks, milliseconds=9.0))
    return rows


def test_teams_of_interleaved_lists_are_compared_user_by_user():
    experiment = an_experiment(mode="interleaved", guardrails=(Guardrail(metric="latency_ms", most=0.1),))
    rows = teams(400, 5, {"old": 0.1, "new": 0.15})
    found = verdict(experiment, rows)
    assert (found.state, found.winner, found.split_p) == ("better", "new", None)
    assert codes(only(found)) == ["primary_better", "guardrail_not_comparable"]
    ctr = only(found).latest.metrics[0]
    clicks = {team: np.zeros(400) for team in ("old", "new")}
    for row in rows:
        clicks[row.variant][int(row.unit[1:])] += row.clicks
    paired = clicks["new"] - clicks["old"]
    assert ctr.difference == pytest.approx(paired.mean() / 40)
    error = paired.std(ddof=1) / np.sqrt(400) / 40
    assert (ctr.fixed.high - ctr.fixed.low) / 2 == pytest.approx(fixed_multiplier(0.05) * error)


def test_equal_teams_are_undecided():
    found = verdict(an_experiment(mode="interleaved"), teams(400, 5, {"old": 0.1, "new": 0.1}))
    assert found.state == "undecided"


ROWS = shoppers(300, 4, {"old": 0.1, "new": 0.13})


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_rows_says_nothing(order):
    parts = [ROWS[place::12] for place in order]
    assert numbers(verdict(an_experiment(), [row for part in parts for row in part])) == pytest.approx(
        numbers(verdict(an_experiment(), ROWS))
    )


def test_labels_that_change_places_change_the_sign():
    swapped = [row._replace(variant={"old": "new", "new": "old"}[row.variant]) for row in ROWS]
    there, back = (only(verdict(an_experiment(), rows)).latest.metrics[0] for rows in (ROWS, swapped))
    assert back.difference == pytest.approx(-there.difference)
    assert (back.interval.low, back.interval.high) == pytest.approx((-there.interval.high, -there.interval.low))
    assert back.p == pytest.approx(there.p)


def test_users_to_whom_nothing_was_shown_change_no_click_through_rate():
    idle = [UnitDay(f"idle{user}", ("old", "new")[user % 2], 20_000, lists=1) for user in range(100)]
    rows = shoppers(2000, 4, {"old": 0.1, "new": 0.13})
    plain, more = (only(verdict(an_experiment(), days)).latest.metrics[0] for days in (rows, rows + idle))
    assert more.difference == pytest.approx(plain.difference)
    # But for the one degree of freedom of so many users.
    assert more.interval.low == pytest.approx(plain.interval.low, rel=1e-3)
    assert more.users == plain.users + 50


def test_a_verdict_is_data_that_json_can_hold():
    found = verdict(GUARDED, shoppers(300, 3, {"old": 0.1, "new": 0.1}), {"u1": 3.0})
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["experiment"] == "home"


def numbers(found):
    return [
        value
        for look in only(found).looks
        for metric in look.metrics
        for value in (metric.difference, metric.p, *((metric.interval.low,) if metric.interval else ()))
        if value is not None
    ]
