"""What `make demo` shows at its end, over a small bundle and the real server."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import demo
from recsys.bundle import open_bundle
from recsys.core.errors import RecsysError
from tests.support.bundles import make_bundle


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(record=True, width=120, file=sys.stdout)
    monkeypatch.setattr(demo, "console", console)
    return console


def test_three_users_with_history_and_top_ten(output: Console, tmp_path: Path) -> None:
    path = make_bundle(tmp_path)
    with demo.running_server(["--bundle", str(path)]) as url, open_bundle(path) as bundle:
        demo.show_users(url, bundle)
        assert demo.get_json(f"{url}/ready")["store"] == "off", "the demo leaves no store behind"
        rows = demo.pick_users(bundle.histories.lengths)
        shown = output.export_text()
        assert len(set(rows)) == 3
        for row in rows:
            answer = demo.get_json(f"{url}/recommendations/user{row}?k=10")
            assert answer["fallback_used"] is False
            for item in answer["items"]:
                (line,) = re.findall(rf"{item['rank']}\. {item['title']} .*{item['score']:.2f}.*", shown)
                assert str(len(item["sources"])) in line.split()
            newest = bundle.histories.select([row]).items[::-1][: demo.SHOWN_HISTORY]
            for record in bundle.catalogue.items(newest):
                assert record.title is not None
                assert record.title in shown
        assert shown.count("Synthetic user") == 3
    with pytest.raises(OSError, match="refused"):
        demo.get_json(f"{url}/health")


def test_a_server_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(RecsysError, match="exit code 5"),
        demo.running_server(["--bundle", str(tmp_path / "none")]),
    ):
        pass


def test_a_stage_that_fails_ends_the_demo(output: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    stages: list[str] = []

    def second_stage_fails(title: str, arguments: list[str]) -> int:
        stages.append(title)
        return 3 if len(stages) == 2 else 0

    monkeypatch.setattr(demo, "run_stage", second_stage_fails)
    assert demo.main() == 3
    assert len(stages) == 2


def test_run_stage_gives_the_exit_code(output: Console) -> None:
    assert demo.run_stage("good", ["-c", ""]) == 0
    assert demo.run_stage("bad", ["-c", "raise SystemExit(7)"]) == 7
    assert "exit code 7" in output.export_text()


@pytest.mark.parametrize(
    ("lengths", "expected"), [([], []), ([0, 0], []), ([0, 4], [1, 1, 1]), ([3, 1, 0, 2], [1, 3, 3])]
)
def test_users_shown_have_a_history(lengths: list[int], expected: list[int]) -> None:
    assert demo.pick_users(np.array(lengths, np.int64)) == expected
