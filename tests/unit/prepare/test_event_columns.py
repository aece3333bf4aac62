"""Which columns of an event log are read as what, and what is said where that is not told."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from recsys.core.errors import DataError
from recsys.prepare.formats.event_columns import EventColumns, find_columns
from recsys.prepare.formats.known_logs import KNOWN_LOGS, KnownLog
from recsys.prepare.mapping_settings import MappingConfig

OURS = ["user_id", "item_id", "event_type", "timestamp"]
RETAILROCKET = ["timestamp", "visitorid", "event", "itemid"]


def found(names: list[str], **mapping: Any) -> EventColumns:
    return find_columns(names, MappingConfig.model_validate(mapping), "log.csv")


def refusal(names: list[str], **mapping: Any) -> DataError:
    with pytest.raises(DataError) as error:
        found(names, **mapping)
    return error.value


def test_our_names_match_whatever_their_case() -> None:
    columns = found(["USER_ID", "Item_Id", "EVENT_TYPE", "Timestamp", "other"]).columns
    assert columns == {
        "user_id": "USER_ID",
        "item_id": "Item_Id",
        "event_type": "EVENT_TYPE",
        "timestamp": "Timestamp",
    }


def test_an_exact_name_counts_more_than_one_in_another_case() -> None:
    assert found([*OURS, "USER_ID", "Price", "PRICE", "price"]).columns["user_id"] == "user_id"
    assert found([*OURS, "Price", "PRICE", "price"]).columns["price"] == "price"


@pytest.mark.parametrize("names", [["price", "price"], ["Price", "PRICE"]])
def test_two_columns_of_one_name_are_refused(names: list[str]) -> None:
    error = refusal([*OURS, *names])
    assert "price" in error.got.casefold()
    assert found([*OURS, *names, "cost"], columns={"price": "cost"}).columns["price"] == "cost"


def test_the_mapping_counts_more_than_our_names() -> None:
    names = [*OURS, "buyer"]
    assert found(names, columns={"user_id": "Buyer"}).columns["user_id"] == "buyer"


def test_a_column_that_is_mapped_is_not_read_as_what_it_is_called() -> None:
    columns = found([*OURS, "price"], columns={"rating": "price"}).columns
    assert columns["rating"] == "price"
    assert "price" not in columns


def test_inputs_of_our_names_may_stand_beside_those_of_others() -> None:
    assert found(OURS, columns={"user_id": "visitorid"}).columns["user_id"] == "user_id"


def test_the_type_of_every_row() -> None:
    names = ["user_id", "item_id", "timestamp"]
    assert found(names, event_type="purchase").event_type == "purchase"
    assert found([*names, "rating"]).event_type == "rating"
    assert found([*names, "rating"], event_type="purchase").event_type == "purchase"
    assert found([*OURS, "rating"], event_type="purchase").event_type is None
    assert "data.event_type: purchase" in refusal(names).remedy


@pytest.mark.parametrize("known", KNOWN_LOGS, ids=lambda known: known.name)
def test_a_known_log_is_told_by_all_its_names_together(known: KnownLog) -> None:
    names = sorted({*known.required, *known.columns.values()})
    came = find_columns([name.swapcase() for name in names], MappingConfig(), "log.csv")
    assert came.known is not None
    assert came.known.name == known.name
    assert {ours: came.columns[ours].swapcase() for ours in known.columns} == known.columns
    for name in known.required:
        with pytest.raises(DataError):
            find_columns(sorted({*names} - {name} - {*OURS}), MappingConfig(), "log.csv")


def test_settings_count_more_than_what_a_known_log_has() -> None:
    came = found([*RETAILROCKET, "session"], columns={"user_id": "session"})
    assert came.columns["user_id"] == "session"
    assert came.columns["item_id"] == "itemid"


def test_the_lines_of_the_remedy_can_be_pasted() -> None:
    names = ["Customer: id", 'Item "no"', "event time", "Action"]
    remedy = refusal(names, columns={"price": "Sum"}).remedy
    line = remedy.partition("set data.columns: ")[2].partition("}")[0] + "}"
    assert yaml.safe_load(line) == {
        "price": "Sum",
        "user_id": "Customer: id",
        "item_id": 'Item "no"',
        "timestamp": "event time",
        "event_type": "Action",
    }


def test_what_a_table_of_orders_lacks_is_named() -> None:
    error = refusal(["order_id", "product_id", "add_to_cart_order", "reordered"])
    assert "no user_id, item_id, event_type, timestamp among" in error.got
    assert "add user_id, timestamp" in error.remedy
    assert "data.time_unit: order" in error.remedy


def test_a_first_line_of_data_is_said_to_hold_no_names() -> None:
    error = refusal(["483452", "325127", "4000007", "pv", "1567000580"])
    assert "holds data and no names" in error.got
    assert "data.header" in error.remedy


def test_a_mapped_name_that_is_not_there_is_named() -> None:
    error = refusal(["visitor", "item_id", "event_type", "timestamp"], columns={"user_id": "vistor"})
    assert "data.columns says vistor for user_id" in error.got
