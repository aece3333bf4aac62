"""Inputs of a preparation as shops have them: many files, several formats, and files that are not what they seem."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.core.events import EVENT_WEIGHTS
from recsys.prepare.formats import events as events_module
from recsys.prepare.formats.event_checks import checked_tables
from recsys.prepare.prepared import PreparedDataset
from tests.support.inputs import HEADER, WRITERS, Logged, day, days, prepare_at, run, write_csv, write_days, write_store

Settings = dict[str, Any]
FILES = ("interactions.parquet", "users.parquet", "items.parquet")


@pytest.fixture
def daily(tmp_path: Path) -> Path:
    return write_days(tmp_path / "logs")


@pytest.mark.parametrize("entry", ["logs", "logs/*.csv", "logs/2020-09-0?.csv"])
def test_daily_files_in_the_order_of_their_names(tmp_path: Path, daily: Path, entry: str) -> None:
    dataset = run(tmp_path, [tmp_path / entry])
    sources = dataset.manifest["sources"]
    assert [Path(source["path"]).name for source in sources] == [f"2020-09-0{n}.csv" for n in (1, 2, 3)]
    assert [(source["lines"], source["kept"]) for source in sources] == [(6, 6)] * 3
    assert dataset.manifest["counts"]["interactions"] == 18
    assert sources[1]["first_event"] == "2020-09-02T00:01:57Z"  # 'u' is 117
    assert sources[1]["last_event"] == "2020-09-02T00:02:59Z"  # 60 s and 'w', 119
    assert sources[1]["event_types"] == {"view": 6}


def test_a_file_that_a_glob_and_a_name_lead_to_counts_once(tmp_path: Path, daily: Path) -> None:
    dataset = run(tmp_path, [daily / "2020-09-02.csv", daily / "*.csv", daily])
    assert dataset.manifest["interactions"]["read"] == 18
    assert len(dataset.manifest["sources"]) == 3
    assert any("4 named more than once" in warning for warning in dataset.manifest["warnings"])


def test_a_day_that_was_exported_twice_counts_once(tmp_path: Path, daily: Path) -> None:
    # The third file holds the last of the second day again, and one event that is new.
    again = day(2).splitlines(keepends=True)[-2:]
    with (daily / "2020-09-03.csv").open("a") as file:
        file.writelines([*again, "x,i20,view,1599004800\n"])
    dataset = run(tmp_path, [daily])
    assert dataset.manifest["interactions"]["dropped"]["repeated_event"] == 2
    assert dataset.manifest["counts"]["interactions"] == 19
    assert any(
        "2 events came more than once" in warning and "2020-09-03.csv 2" in warning
        for warning in dataset.manifest["warnings"]
    )


def test_a_day_without_events(tmp_path: Path, daily: Path) -> None:
    (daily / "2020-09-04.csv").write_text(HEADER)
    (daily / "2020-09-05.csv").touch()
    dataset = run(tmp_path, [daily])
    assert dataset.manifest["counts"]["interactions"] == 18
    assert dataset.manifest["sources"][3]["first_event"] is None
    warnings = " ".join(dataset.manifest["warnings"])
    assert "2020-09-04.csv" in warnings
    assert "2020-09-05.csv" in warnings
    with pytest.raises(DataError, match="header alone"):
        run(tmp_path, [daily / "2020-09-04.csv"])


def test_each_input_may_have_a_format_of_its_own(tmp_path: Path, daily: Path) -> None:
    atomic = tmp_path / "old.inter"
    atomic.write_text("user_id:token\titem_id:token\ttimestamp:float\nu\told1\t1500000000\nv\told2\t1500000001\n")
    dataset = run(tmp_path, [{"path": atomic, "format": "recbole"}, daily, {"path": daily / "2020-09-01.csv"}])
    assert dataset.manifest["counts"]["interactions"] == 20
    assert {source["format"] for source in dataset.manifest["sources"]} == {"recbole", "events"}
    assert {"price", "quantity"} <= set(dataset.interactions.columns)
    assert dataset.manifest["config"]["data"]["interactions"][0] == {"path": str(atomic), "format": "recbole"}


def test_the_store_may_be_named_as_the_server_names_it(tmp_path: Path) -> None:
    stored = write_store(
        tmp_path / "s.db", [Logged(f"e{n}", f"u{n % 2}", f"i{n}", "view", 1_600_000_000 + n) for n in range(8)]
    )
    for kind in ("store", "events"):
        dataset = run(tmp_path, [f"sqlite:///{stored}"], format=kind)
        assert dataset.manifest["counts"]["interactions"] == 8


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kind", ["events", "store"])
def test_what_an_input_is_shows_in_its_first_bytes(tmp_path: Path, kind: str, write: Any) -> None:
    path = write(tmp_path / "no-ending", [Logged(f"e{n}", "u", f"i{n}", "view", 1_600_000_000 + n) for n in range(6)])
    source = run(tmp_path, [path], format=kind).manifest["sources"][0]
    assert (source["format"], source["kept"]) == ("store" if write is write_store else "events", 6)


@st.composite
def logs(draw: st.DrawFn) -> list[Logged]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["u", "v", "Ü x", "0012"]),
                st.sampled_from(["i", "j", "k,l", "1e3", "日本"]),
                st.sampled_from(list(EVENT_WEIGHTS)),
                st.integers(1_500_000_000, 1_500_000_009),
            ),
            min_size=4,
            max_size=30,
        )
    )
    # One user has three items, so that there is a test part.
    rows += [("w", item, "purchase", 1_500_000_003) for item in "ijk"]
    return [Logged(f"e{number}", *row) for number, row in enumerate(rows)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs(), st.lists(st.tuples(st.integers(0, 30), st.sampled_from(WRITERS)), min_size=1, max_size=4))
def test_a_log_in_pieces_of_any_kind_is_the_log(
    tmp_path_factory: pytest.TempPathFactory, log: list[Logged], cuts: list[tuple[int, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    options: Settings = {"event_weights": dict(EVENT_WEIGHTS), "split": {"method": "leave_one_out"}}
    whole = write_csv(folder / "whole.csv", log)
    pieces, start = [], 0
    for number, (end, write) in enumerate([*sorted(cuts, key=lambda cut: cut[0]), (len(log), write_csv)]):
        if log[start:end]:
            # Each piece but the first begins with the end of the one before: what overlaps counts once.
            pieces.append(write(folder / f"piece{number}", log[max(0, start - 2) : end]))
            start = end
    expected = prepare_at(folder / "whole", [whole], **options)
    came = prepare_at(folder / "pieces", pieces, **options)
    for name in FILES:
        assert (came / name).read_bytes() == (expected / name).read_bytes()


def change_while_reading(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Change something as soon as the first rows of a log have been read."""

    def tables(*args: Any, **named: Any) -> Any:
        change()
        yield from checked_tables(*args, **named)

    monkeypatch.setattr(events_module, "checked_tables", tables)


def test_a_file_that_grows_or_goes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))
    before = run(tmp_path, [log]).manifest
    with monkeypatch.context() as patch:
        change_while_reading(patch, lambda: log.write_text(days(1, 2, 3)))
        with pytest.raises(DataError, match="to stay as it is"):
            run(tmp_path, [log])
    with monkeypatch.context() as patch:
        change_while_reading(patch, log.unlink)
        with pytest.raises(DataError, match=r"to be there until(.|\n)*No such file"):
            run(tmp_path, [log])
    assert PreparedDataset.load(tmp_path / "prepared/shop").manifest == before


def test_a_file_that_cannot_be_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))

    def fail() -> None:
        raise OSError(5, os.strerror(5))

    change_while_reading(monkeypatch, fail)
    with pytest.raises(DataError, match=r"log\.csv(.|\n)*Input/output error"):
        run(tmp_path, [log])


def test_rows_that_a_reader_loses_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))
    monkeypatch.setattr(
        events_module, "checked_tables", lambda *args, **named: (table[1:] for table in checked_tables(*args, **named))
    )
    with pytest.raises(DataError, match=r"all 12 lines of .*(.|\n)*11 events and 0 dropped"):
        run(tmp_path, [log])


def test_no_event_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "u,i,view,3/4/2020\n")
    (tmp_path / "b.csv").write_text(HEADER)
    with pytest.raises(DataError, match=r"none; dropped 1 of 1 \(1 mistyped_field\)(.|\n)*data.date_order") as error:
        run(tmp_path, [tmp_path / "a.csv", tmp_path / "b.csv"], max_bad_line_share=1)
    assert "no lines" in error.value.got
