"""Results of a run are found again for the same inputs alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.train.kept_results import KeptResults


def test_a_result_is_found_again_for_what_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    kept = KeptResults(path, {"dataset": "a", "seed": 1})
    assert kept.found("als") is None
    kept.keep("als", {"chosen": {"factors": 64, "alpha": 0.1 + 0.2, "none": None}})
    kept.keep("ease", {"chosen": {}})
    again = KeptResults(path, {"seed": 1, "dataset": "a"})
    assert again.found("als") == {"chosen": {"factors": 64, "alpha": 0.1 + 0.2, "none": None}}
    assert again.found("ease") == {"chosen": {}}
    assert KeptResults(path, {"dataset": "a", "seed": 2}).found("als") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"came_from": "x"}'])
def test_a_damaged_file_holds_nothing_and_is_replaced(text: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    kept = KeptResults(path, {})
    assert kept.found("als") is None
    kept.keep("als", 3)
    assert KeptResults(path, {}).found("als") == 3
