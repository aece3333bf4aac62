"""Holm's procedure: values by hand, and the definition."""

import tea_tasting as tt
from hypothesis import given
from hypothesis import strategies as st
from tea_tasting.experiment import ExperimentResult

from recsys.experiments.statistics.several import holm


def test_each_is_compared_with_what_is_left_of_the_level():
    assert holm([0.02], 0.05) == [True]
    assert holm([0.03, 0.01], 0.05) == [True, True]  # .01 <= .025, .03 <= .05
    assert holm([0.03, 0.04], 0.05) == [False, False]  # .03 > .025, which ends it
    assert holm([0.04, 0.01, 0.03], 0.05) == [False, True, False]
    assert holm([], 0.05) == []


@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=6, unique=True), st.sampled_from([0.01, 0.05, 0.2]))
def test_it_rejects_what_a_kept_library_rejects(p_values, alpha):
    results = {which: ExperimentResult({"metric": {"pvalue": p}}) for which, p in enumerate(p_values)}
    theirs = tt.adjust_fwer(results, alpha=alpha, arbitrary_dependence=True, method="bonferroni").to_dicts()
    assert holm(p_values, alpha) == [bool(row["null_rejected"]) for row in theirs]
