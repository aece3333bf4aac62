from __future__ import annotations

from pathlib import Path
from typing import get_args

from recsys.rules.presets import Preset, preset_rules
from recsys.rules.rules_file import read_rules
from tests.support.arranging import Shop


def test_there_is_a_file_for_every_preset() -> None:
    assert {name: len(preset_rules(name)) for name in get_args(Preset)} == {"accurate": 0, "balanced": 1}


def test_balanced_lists_bring_up_older_interests_and_keep_the_order_of_scores() -> None:
    """Ten of the pool are of the last category and best, as of someone who was shown hair bands alone."""
    (rule,) = preset_rules("balanced")
    assert rule.where is None
    assert rule.when is None
    groups = [1] * 10 + [3] * 3 + [4] * 3 + [5] * 4
    history = [16, 13, 10, 0]  # a quarter of each category
    scores = [2 - place / 10 for place in range(20)]
    listed = Shop(scores, [(rule.action, None, groups)], history=history).list_of(10)
    assert listed == sorted(listed)
    assert {groups[item] for item in listed} == {1, 3, 4, 5}
    assert sum(groups[item] == 1 for item in listed) <= 5
    without = Shop(scores, [(rule.action.model_copy(update={"weight": 0}), None, groups)], history=history).list_of(10)
    assert without == list(range(10))


def test_the_example_for_the_sample_shop_is_a_file_of_rules_with_the_preset() -> None:
    rules = {rule.id: rule for rule in read_rules(Path(__file__).parents[3] / "configs" / "rules" / "sample.yaml")}
    assert len(rules) == 7
    assert rules["balanced"].action == preset_rules("balanced")[0].action
