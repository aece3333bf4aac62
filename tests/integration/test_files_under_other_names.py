"""Whole preparations of logs that call their columns otherwise: known ones, mapped ones, and those that are refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from recsys.core.errors import ConfigError, DataError
from recsys.prepare.prepared import PreparedDataset
from tests.support.inputs import prepare_at, run

T = 1_600_000_000
DAY = 86_400
USERS, ITEMS = [f"u{n}" for n in range(4)], [f"0{n}" for n in range(3)]
# Twelve events: each user with each item, a day apart.
EVENTS = [(user, item, T + DAY * n) for n, (user, item) in enumerate((u, i) for u in USERS for i in ITEMS)]


def table(header: str, line: str, delimiter: str = ",") -> str:
    """A line for each event; `line` has the places u, i, t (seconds), n (its number)."""
    rows = (line.format(u=user, i=item, t=time, n=n) for n, (user, item, time) in enumerate(EVENTS))
    return "\n".join([header, *rows] if header else rows) + "\n"


def written(tmp_path: Path, content: str, name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_text(content)
    return path


def whole(dataset: PreparedDataset) -> bool:
    interactions = dataset.interactions
    return (
        set(dataset.user_ids) == set(USERS)
        and set(dataset.item_ids) == set(ITEMS)
        and sorted(interactions["timestamp"]) == [time for *_, time in EVENTS]
    )


KNOWN: dict[str, tuple[str, float, str]] = {
    # The file, the weight of its events, what it is recognised as.
    "RetailRocket": (
        table("timestamp,visitorid,event,itemid,transactionid", "{t}123,{u},transaction,{i},7"),
        5.0,
        "RetailRocket's events",
    ),
    "REES46": (
        table(
            "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session",
            "{t},cart,{i},1,a.b,x,9.5,{u},s",
        ),
        3.0,
        "REES46's events",
    ),
    "Online Retail": (
        table(
            "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
            "1{n},{i},Mug,2,{t},9.5,{u},UK",
        ),
        5.0,
        "UCI's Online Retail II",
    ),
    "Shopify": (
        table(
            "Name,Email,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku",
            "#1{n},{u},{t},2,Mug,9.5,{i}",
        ),
        5.0,
        "Shopify's orders",
    ),
    "Gorse": (
        table("", '{{"FeedbackType": "read", "UserId": "{u}", "ItemId": "{i}", "Timestamp": {t}}}'),
        1.0,
        "Gorse's feedback",
    ),
    "Google Analytics 4": (
        table(
            "",
            '{{"event_timestamp": "{t}000000", "event_name": "view_item", "user_pseudo_id": "{u}", '
            '"items": [{{"item_id": "{i}", "price": 9.5, "quantity": 1}}]}}',
        )
        + json.dumps({"event_timestamp": 1, "event_name": "page_view", "user_pseudo_id": "u9", "items": []})
        + "\n",
        1.0,
        "Google Analytics 4's events",
    ),
    "MovieLens": (table("userId,movieId,rating,timestamp", "{u},{i},0.5,{t}"), 5.0, "MovieLens' ratings"),
    "Amazon 2023": (table("user_id,parent_asin,rating,timestamp", "{u},{i},3.0,{t}123"), 5.0, "Amazon's ratings"),
}


@pytest.mark.parametrize(("content", "weight", "name"), KNOWN.values(), ids=KNOWN)
def test_known_logs_are_read_and_it_is_said_as_what(tmp_path: Path, content: str, weight: float, name: str) -> None:
    said = io.StringIO()
    folder = prepare_at(tmp_path, [written(tmp_path, content)], Console(file=said, width=300))
    dataset = PreparedDataset.load(folder)
    assert whole(dataset)
    assert set(dataset.interactions["weight"]) == {weight}
    (source,) = dataset.manifest["sources"]
    assert source["assumed"][0].startswith(f"recognised as {name}")
    assert f"recognised as {name}" in said.getvalue()
    assert all(f"{ours} is {theirs}" in said.getvalue() for ours, theirs in source["columns"].items())
    assert sum(source["dropped"].values()) == (1 if "page_view" in content else 0)


def test_purchases_of_days_keep_their_zeros(tmp_path: Path) -> None:
    lines = [f"2020-09-{13 + n:02},{user},{item},0.5,1" for n, (user, item, _) in enumerate(EVENTS)]
    path = written(tmp_path, "\n".join(["t_dat,customer_id,article_id,price,sales_channel_id", *lines]) + "\n")
    dataset = run(tmp_path, [path])
    assert set(dataset.item_ids) == set(ITEMS)
    assert dataset.manifest["sources"][0]["event_types"] == {"purchase": 12}


def test_half_ratings_are_kept_and_the_scale_is_said(tmp_path: Path) -> None:
    dataset = run(tmp_path, [written(tmp_path, KNOWN["MovieLens"][0])])
    assert set(dataset.interactions["rating"]) == {0.5}
    assert any("data.rating_range: [0.5, 5]" in words for words in dataset.manifest["sources"][0]["assumed"])
    with pytest.raises(DataError, match="rating_out_of_range"):
        run(tmp_path, [tmp_path / "log.csv"], rating_range=[1, 5])


MAPPED: dict[str, tuple[str, dict[str, Any]]] = {
    "other names": (
        table("zeit;kunde;was;artikel", "{t};{u};angesehen;{i}"),
        {
            "columns": {"user_id": "Kunde", "item_id": "ARTIKEL", "event_type": "was", "timestamp": "Zeit"},
            "event_types": {"Angesehen": "view"},
        },
    ),
    "no names, no types": (
        table("", "{u},x,{i},{t}"),
        {"header": ["user_id", "_", "item_id", "timestamp"], "event_type": "view"},
    ),
    "no names, a mapping": (
        table("", "{u}|{i}|pv|{t}"),
        {"header": ["who", "what", None, "at"], "event_type": "view"}
        | {"columns": {"user_id": "who", "item_id": "what", "timestamp": "at"}},
    ),
    "types that are numbers": (
        table("user_id,item_id,event_type,timestamp", "{u},{i},1,{t}"),
        {"event_types": {1: "view"}},
    ),
    "types of their own": (
        table("user_id,item_id,event_type,timestamp", "{u},{i},1,{t}"),
        {"event_weights": {1: 1, 2: 3}},
    ),
    "RecBole": (
        table("visitor_id:token\titem_id:token\tkind:token\ttimestamp:float", "{u}\t{i}\tpv\t{t}000"),
        {"format": "recbole", "columns": {"user_id": "visitor_id", "event_type": "kind"}}
        | {"event_types": {"pv": "view"}, "time_unit": "ms"},
    ),
}


@pytest.mark.parametrize(("content", "settings"), MAPPED.values(), ids=MAPPED)
def test_mapped_logs(tmp_path: Path, content: str, settings: dict[str, Any]) -> None:
    dataset = run(tmp_path, [written(tmp_path, content)], **settings)
    assert whole(dataset)
    assert set(dataset.interactions["weight"]) == {1.0}


def test_events_to_ignore_are_counted_and_are_not_bad(tmp_path: Path) -> None:
    content = table("user_id,item_id,event_type,timestamp", "{u},{i},view,{t}") + ",,search,\n" * 30 + ",,,\n" * 5
    settings = {"event_types": {"search": "ignore", "": "ignore"}}
    dataset = run(tmp_path, [written(tmp_path, content)], **settings)
    assert whole(dataset)
    assert dataset.manifest["sources"][0]["dropped"] == {"ignored_event_type": 35}


def test_numbers_of_orders_stand_for_times(tmp_path: Path) -> None:
    rows = [f"u{n % 4},i{n // 4},{20_200_101 + n // 4}" for n in range(12)]
    path = written(tmp_path, "\n".join(["user_id,product_id,order_number", *rows]) + "\n")
    dataset = run(
        tmp_path,
        [path],
        columns={"item_id": "product_id", "timestamp": "order_number"},
        event_type="purchase",
        time_unit="order",
    )
    assert sorted(set(dataset.interactions["timestamp"])) == [20_200_101, 20_200_102, 20_200_103]
    assert dataset.manifest["sources"][0]["read_as"] == "numbers that order events"


def test_logs_of_several_shapes_are_read_together(tmp_path: Path) -> None:
    half = len(EVENTS) // 2
    lines = table("", "{u},{i},view,{t}").splitlines(keepends=True)
    first = written(tmp_path, "user_id,item_id,event_type,timestamp\n" + "".join(lines[:half]), "a.csv")
    events = [{"who": {"id": u}, "item_id": i, "event_type": "view", "timestamp": t} for u, i, t in EVENTS[half:]]
    second = written(tmp_path, json.dumps(events), "b.json")
    assert whole(run(tmp_path, [first, second], columns={"user_id": "who.id"}))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"columns": {"price": "cost"}}, "data.columns: {price: cost}"),
        ({"event_type": "view"}, "data.event_type: view"),
        ({"columns": {"user_id": "vistor"}}, "data.columns: {user_id: vistor}"),
        (
            {"header": ["item_id", "user_id", "event_type", "timestamp"]},
            "names: 'user_id,item_id(.|\n)*remove data.header",
        ),
        ({"header": ["user_id", "item_id"]}, "as many columns in .* as data.header has names, 2(.|\n)*4 separated by"),
    ],
)
def test_settings_that_nothing_reads_are_refused(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    path = written(tmp_path, table("user_id,item_id,event_type,timestamp", "{u},{i},view,{t}"))
    with pytest.raises(DataError, match=words):
        run(tmp_path, [path], **settings)


def test_a_field_of_json_that_never_comes_is_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path, table("", '{{"user_id": "{u}", "item_id": "{i}", "event_type": "view", "timestamp": {t}}}')
    )
    with pytest.raises(DataError, match=r"data.columns: {price: cost}"):
        run(tmp_path, [path], columns={"price": "cost"})


def test_a_mapping_of_a_format_that_knows_none_is_refused(tmp_path: Path) -> None:
    review = {"reviewerID": "u", "asin": "i", "overall": 5.0, "unixReviewTime": T}
    path = written(tmp_path, json.dumps(review) + "\n", "reviews.json")
    with pytest.raises((DataError, ConfigError), match="columns"):
        run(tmp_path, [path], format="amazon_2014", columns={"user_id": "reviewerID"})
