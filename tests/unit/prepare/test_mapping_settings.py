"""What a mapping may say, and what it is refused for."""

from __future__ import annotations

from typing import Any

import pytest

from recsys.prepare.settings import DataConfig


def settings(**mapping: Any) -> DataConfig:
    return DataConfig(format="events", interactions=["log.csv"], **mapping)


def test_a_mapping_is_read() -> None:
    data = settings(
        columns={
            "user_id": "visitorid",
            "item_id": "items[].id",
            "price": "items[].price",
            "item.price": "items[].price",
        },
        event_types={1: "view", " Transaction ": "purchase", "search": "ignore"},
        property_names={790: "price"},
    )
    assert data.columns["item_id"] == "items[].id"
    assert data.event_types == {"1": "view", "transaction": "purchase", "search": "ignore"}
    assert data.property_names == {"790": "price"}


def test_a_config_without_one_is_written_as_before() -> None:
    assert not {"columns", "event_types", "header", "items", "users"} & set(settings().model_dump(mode="json"))


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"columns": {"user": "x"}}, "no such column of events"),
        ({"columns": {"item.item_id": "x"}}, "no such column of events"),
        ({"columns": {"user_id": "a[].b[].c"}}, "more than one list"),
        ({"columns": {"user_id": "a[].b", "item_id": "c[].d"}}, "several lists"),
        ({"columns": {"user_id": "a[]b"}}, "list within a name"),
        ({"columns": {"user_id": "a", "item_id": "a"}}, "more than once"),
        ({"columns": {"item.title": "a", "item.brand": "a"}}, "more than once"),
        ({"columns": {"item.colour": "a"}}, "data.attributes does not name"),
        ({"columns": {"user.age": "a"}}, "data.user_attributes does not name"),
        ({"user_columns": {"age": "a"}}, "data.user_attributes does not name"),
        ({"user_attributes": {"user_id": "text"}}, "is taken"),
        ({"user_attributes": {"city": "place"}}, "Input should be"),
        ({"property_names": {"790": "colour"}}, "data.attributes does not name"),
        ({"event_types": {"x": "bought"}}, "data.event_weights does not name"),
        ({"event_types": {"x": "view", "X ": "purchase"}}, "are one event type"),
        ({"event_type": "bought"}, "data.event_weights does not name"),
        ({"header": ["a", "a"]}, "more than once"),
        ({"header": ["_", None]}, "names no column"),
        ({"colums": {}}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**mapping)
