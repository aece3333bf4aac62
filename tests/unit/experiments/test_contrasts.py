"""Means and ratios by user: values by hand, a kept library's, and what neither scale nor label changes."""

import math

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.experiments.statistics.contrasts import adjusted, contrast, error_of, mean_by_user, relative
from recsys.experiments.statistics.sequences import fixed_multiplier

COUNTS = arrays(np.float64, st.integers(2, 30), elements=st.integers(0, 50).map(float))


def shop(users=4000, seed=0):
    """Clicks and impressions of two variants, and what the users did before, which tells a part of it."""
    rng = np.random.default_rng(seed)
    variant = rng.integers(0, 2, users)
    before = rng.gamma(2, 1, users)
    impressions = rng.poisson(10, users).astype(float)
    clicks = rng.binomial(impressions.astype(int), np.minimum(before * (0.05 + 0.005 * variant), 1)).astype(float)
    return variant, before, impressions, clicks


def test_a_mean_and_its_standard_error_by_hand():
    # 1, 2, 3, 6: mean 3, sum of squares 4 + 1 + 0 + 9 = 14, of which 14 / (4 x 3) is the variance of the mean.
    mean = mean_by_user(np.array([1.0, 2, 3, 6]))
    assert mean.value == 3
    assert error_of(mean) == pytest.approx(math.sqrt(14 / 12))


def test_a_ratio_and_its_standard_error_by_hand():
    # Users of 1 of 2, 0 of 4 and 2 of 6 clicks: 3 of 12. Residuals 1 - .5, 0 - 1 and 2 - 1.5, by 4 impressions a user:
    # .125, -.25, .125; the squares' sum is .09375, by 3 x 2 the variance is .015625 = .125 squared.
    mean = mean_by_user(np.array([1.0, 0, 2]), np.array([2.0, 4, 6]))
    assert mean.value == 0.25
    assert mean.residuals.tolist() == [0.125, -0.25, 0.125]
    assert error_of(mean) == pytest.approx(0.125)


def test_users_who_saw_nothing_change_no_ratio():
    few = mean_by_user(np.array([1.0, 0, 2]), np.array([2.0, 4, 6]))
    more = mean_by_user(np.array([1.0, 0, 2, 0]), np.array([2.0, 4, 6, 0]))
    assert more.value == few.value
    # Their residuals of 0 add nothing but to the number of users: by 4 x 3 instead of 3 x 2, each 4 / 3 as large.
    assert error_of(more) == pytest.approx(error_of(few) * 4 / 3 * math.sqrt(6 / 12))


def test_a_ratio_without_a_denominator_is_none():
    assert mean_by_user(np.zeros(3), np.zeros(3)) is None
    assert mean_by_user(np.zeros(0)) is None


def test_unpaired_variances_add_up_and_paired_residuals_do():
    one, two = mean_by_user(np.array([1.0, 3.0])), mean_by_user(np.array([2.0, 6.0]))
    assert contrast(one, two).value == 2
    assert contrast(one, two).error == pytest.approx(math.sqrt(1 + 4))
    assert contrast(one, two, paired=True).error == pytest.approx(1)  # differences 1 and 3
    assert contrast(one, two, 2.0, paired=True) == (0, 0)  # 2 - 2 x 1 and 6 - 2 x 3


def test_differences_agree_with_a_kept_library():
    variant, before, impressions, clicks = shop()
    table = pa.table({"variant": variant, "before": before, "impressions": impressions, "clicks": clicks})
    options = {"use_t": False, "equal_var": False}
    theirs = tt.Experiment(
        ratio=tt.RatioOfMeans("clicks", "impressions", **options), mean=tt.Mean("clicks", **options)
    ).analyze(table)
    for name, denominators in (("ratio", impressions), ("mean", np.ones(len(clicks)))):
        control, other = (mean_by_user(clicks[variant == which], denominators[variant == which]) for which in (0, 1))
        ours, share, reach = contrast(control, other), relative(control, other), fixed_multiplier(0.05)
        assert ours.value == pytest.approx(theirs[name].effect_size)
        assert ours.value - reach * ours.error == pytest.approx(theirs[name].effect_size_ci_lower, rel=1e-6)
        assert ours.value + reach * ours.error == pytest.approx(theirs[name].effect_size_ci_upper, rel=1e-6)
        assert share.value == pytest.approx(theirs[name].rel_effect_size)
        # Theirs is an interval of the logarithm; near 1 its width is that of the share to first order.
        log_width = math.log1p(theirs[name].rel_effect_size_ci_upper) - math.log1p(
            theirs[name].rel_effect_size_ci_lower
        )
        assert 2 * reach * share.error / (1 + share.value) == pytest.approx(log_width, rel=1e-6)


def test_the_covariate_adjusts_as_in_a_kept_library():
    variant, before, _, clicks = shop()
    table = pa.table({"variant": variant, "before": before, "clicks": clicks})
    theirs = tt.Experiment(mean=tt.Mean("clicks", "before", use_t=False, equal_var=False)).analyze(table)["mean"]
    means = [mean_by_user(clicks[variant == which]) for which in (0, 1)]
    *with_before, saved = adjusted(*means, before[variant == 0], before[variant == 1])
    ours, reach = contrast(*with_before), fixed_multiplier(0.05)
    # They take the slope over all users, we within variants: no difference but by chance, of the order of 1 / users.
    assert ours.value == pytest.approx(theirs.effect_size, rel=1e-3)
    assert ours.value - reach * ours.error == pytest.approx(theirs.effect_size_ci_lower, rel=5e-3)
    assert ours.value + reach * ours.error == pytest.approx(theirs.effect_size_ci_upper, rel=5e-3)
    assert saved == pytest.approx(1 - (ours.error / contrast(*means).error) ** 2)
    assert 0.2 < saved < 0.5


def test_the_covariate_takes_away_what_it_explains_by_hand():
    # Clicks are twice those before, and one more in the variant; the variant's users did one more before, on average.
    before = np.array([0.0, 2, 4]), np.array([1.0, 3, 5])
    means = mean_by_user(2 * before[0]), mean_by_user(2 * before[1] + 1)
    control, variant, saved = adjusted(*means, *before)
    assert contrast(*means).value == 3
    assert contrast(control, variant).value == pytest.approx(1)
    assert contrast(control, variant).error == pytest.approx(0, abs=1e-9)
    assert saved == pytest.approx(1)


def test_a_covariate_that_all_have_alike_changes_nothing():
    means = mean_by_user(np.array([1.0, 2])), mean_by_user(np.array([3.0, 5]))
    assert adjusted(*means, np.ones(2), np.ones(2)) == (*means, 0.0)


def test_nothing_is_relative_to_a_control_of_nothing():
    assert relative(mean_by_user(np.zeros(3)), mean_by_user(np.ones(3))) is None


def test_rounding_errors_are_no_difference():
    control, variant = (mean_by_user(np.full(users, 0.1) * 3) for users in (7, 49))
    assert contrast(control, variant) == (0, 0)


@given(COUNTS, COUNTS, st.floats(0.01, 100))
def test_the_unit_of_measurement_changes_no_share(one, two, scale):
    if one.sum() == 0:
        return
    plain = relative(mean_by_user(one), mean_by_user(two))
    scaled = relative(mean_by_user(one * scale), mean_by_user(two * scale))
    assert scaled.value == pytest.approx(plain.value, abs=1e-9)
    assert scaled.error == pytest.approx(plain.error, abs=1e-9)


@given(COUNTS, COUNTS, st.floats(-100, 100))
def test_what_all_have_more_changes_no_difference(one, two, shift):
    plain = contrast(mean_by_user(one), mean_by_user(two))
    shifted = contrast(mean_by_user(one + shift), mean_by_user(two + shift))
    assert shifted == pytest.approx(plain, abs=1e-6)


@given(COUNTS, COUNTS)
def test_variants_that_change_places_change_the_sign(one, two):
    first, second = mean_by_user(one), mean_by_user(two)
    there, back = contrast(first, second), contrast(second, first)
    assert (there.value, there.error) == (-back.value, pytest.approx(back.error))
