"""Files of shops that no config knows: what is proposed reads them, and nothing is taken for what it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from recsys.core.errors import DataError
from recsys.inspect.columns import Column
from recsys.inspect.inspection import inspect
from recsys.inspect.item_proposal import separators_of_paths
from recsys.inspect.proposal import Proposal
from recsys.inspect.tables import look_at
from recsys.inspect.trial import try_out
from recsys.prepare.formats.events import check
from recsys.prepare.formats.files import open_file
from recsys.prepare.inputs import open_inputs
from recsys.prepare.settings import DataConfig, InputConfig

ROWS = [(f"u{k % 4}", f"i{k % 7}", 1_700_000_000 + 5_000 * k) for k in range(40)]


def lines(records: Sequence[Any]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def csv(header: str, rows: Sequence[Sequence[Any]]) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def proposed(path: Path, text: str) -> Proposal:
    path.write_text(text, "utf8")
    proposal = inspect([path], console=Console(quiet=True))
    assert proposal is not None
    return proposal


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "заказы.csv",
            csv("номер_заказа,клиент,артикул,дата", [(k, u, i, t) for k, (u, i, t) in enumerate(ROWS)]),
            {"user_id": "клиент", "item_id": "артикул", "timestamp": "дата"},
        ),
        (
            "購入.jsonl",
            lines([{"顧客ID": u, "商品ID": i, "購入日時": t} for u, i, t in ROWS]),
            {"user_id": "顧客ID", "item_id": "商品ID", "timestamp": "購入日時"},
        ),
        (
            "orders.csv",
            csv("order_no,customer_no,article_no,order_date", [(k, u, i, t) for k, (u, i, t) in enumerate(ROWS)]),
            {"user_id": "customer_no", "item_id": "article_no", "timestamp": "order_date"},
        ),
        (
            "orders.jsonl",
            lines(
                [
                    {"orderId": k, "customer": {"id": u}, "createdAt": t, "lines": [{"variant": {"sku": i}}]}
                    for k, (u, i, t) in enumerate(ROWS)
                ]
            ),
            {"user_id": "customer.id", "item_id": "lines[].variant.sku", "timestamp": "createdAt"},
        ),
        (
            "insights.jsonl",
            lines([{"userToken": u, "objectIDs": [i, "i9"], "eventType": "view", "timestamp": t} for u, i, t in ROWS]),
            {"user_id": "userToken", "item_id": "objectIDs[]", "event_type": "eventType"},
        ),
        (
            "sessions.jsonl",
            lines(
                [
                    {
                        "session": u,
                        "events": [{"aid": i, "ts": t * 1000, "type": "clicks"} for v, i, t in ROWS if v == u],
                    }
                    for u in sorted({u for u, _, _ in ROWS})
                ]
            ),
            {
                "user_id": "session",
                "item_id": "events[].aid",
                "event_type": "events[].type",
                "timestamp": "events[].ts",
            },
        ),
        (
            "actions.csv",  # few small numbers are no ratings where the name says what they are
            csv("user_id,sku_id,time,type,cate_id", [(u, i, t, k % 5, k % 5) for k, (u, i, t) in enumerate(ROWS)]),
            {"item_id": "sku_id", "event_type": "type", "timestamp": "time"},
        ),
        (
            "reviews.jsonl",  # whose text is the reviewer's, and describes no item
            lines([{"user_id": u, "business_id": i, "stars": 4, "text": "nice", "date": t} for u, i, t in ROWS]),
            {"item_id": "business_id", "rating": "stars", "timestamp": "date"},
        ),
    ],
)
def test_columns(tmp_path: Path, name: str, text: str, wanted: dict[str, str]) -> None:
    proposal = proposed(tmp_path / name, text)
    assert proposal.config.data.columns == wanted
    trial = try_out(proposal, [look_at(tmp_path / name)])
    assert trial.error == ""
    assert trial.kept == len(ROWS) * (2 if name == "insights.jsonl" else 1)


def test_cancelled_orders_are_ignored_and_take_nothing_back(tmp_path: Path) -> None:
    rows = [(u, i, t, "canceled" if k % 5 == 0 else "complete") for k, (u, i, t) in enumerate(ROWS)]
    found = proposed(tmp_path / "orders.csv", csv("customer,sku,created_at,status", rows)).config.data
    assert found.event_types == {"complete": "purchase", "canceled": "ignore"}


def test_an_event_log_has_no_states_of_orders(tmp_path: Path) -> None:
    rows = [(u, i, t, ("view", "complete", "refund")[k % 3]) for k, (u, i, t) in enumerate(ROWS)]
    found = proposed(tmp_path / "log.csv", csv("user_id,item_id,timestamp,event_type", rows)).config.data
    assert found.event_types == {"complete": "purchase"}  # and a refund takes a purchase back


def test_lists_in_one_text_are_no_item(tmp_path: Path) -> None:
    rows = [(u, f'"{i},i8,i9"', t) for u, i, t in ROWS]
    assert not proposed(tmp_path / "baskets.csv", csv("customer,products,time", rows)).has_log


def test_python_literals_are_refused_with_what_makes_json_of_them(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    records = [{"user_id": u, "item_id": i, "timestamp": t, "text": "it's"} for u, i, t in ROWS]
    path.write_text("".join(f"{record!r}\n" for record in records), "utf8")
    with pytest.raises(DataError) as raised:
        check(open_file(path, "interactions"))
    program = raised.value.remedy.partition('python -c "')[2].rpartition('"')[0]
    done = subprocess.run([sys.executable, "-c", program], input=path.read_bytes(), capture_output=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == records


def test_a_date_is_no_item_and_a_title_no_user(tmp_path: Path) -> None:
    rows = [("11/14/23", f"Mug {i}", u, i, t) for u, i, t in ROWS]
    found = proposed(tmp_path / "sold.csv", csv("Sale Date,Item Name,Buyer,Listing ID,Paid", rows)).config.data
    assert (found.columns["user_id"], found.columns["item_id"]) == ("Buyer", "Listing ID")


def test_shipped_orders_are_bought(tmp_path: Path) -> None:
    rows = [(u, i, t, "Cancelled" if k % 5 == 0 else "Shipped") for k, (u, i, t) in enumerate(ROWS)]
    found = proposed(tmp_path / "orders.csv", csv("buyer-email,sku,purchase-date,order-status", rows)).config.data
    assert found.event_types == {"shipped": "purchase", "cancelled": "ignore"}


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "kunden.csv",
            csv("Kunden_ID,Geburtsdatum,Geschlecht", [(f"u{k}", f"{1970 + k}-01-02", "mw"[k % 2]) for k in range(4)]),
            {"user_id": "Kunden_ID", "birthday": "Geburtsdatum", "gender": "Geschlecht"},
        ),
        (
            "users.jsonl",
            lines([{"id": f"u{k}", "profile": {"age": 20 + k}, "created_at": "2020-01-02"} for k in range(4)]),
            {"user_id": "id", "age": "profile.age"},
        ),
    ],
)
def test_tables_of_users(tmp_path: Path, name: str, text: str, wanted: dict[str, str]) -> None:
    (tmp_path / name).write_text(text, "utf8")
    (tmp_path / "log.csv").write_text(csv("user_id,item_id,timestamp", ROWS), "utf8")
    found = inspect([tmp_path / "log.csv", tmp_path / name], console=Console(quiet=True))
    assert found is not None
    assert found.config.data.users == [tmp_path / name]
    assert found.config.data.user_columns == wanted


@pytest.mark.parametrize("about", [{}, {"total": 9, "next": None, "page": "1"}])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_catalogue_within_one_object(tmp_path: Path, about: dict[str, Any], indent: int | None) -> None:
    products = [
        {"id": f"i{k}", "title": f"Mug {k}", "vendor": "Holm", "variants": [{"sku": "x"}, {"sku": "y"}]}
        for k in range(7)
    ]
    catalogue, log = tmp_path / "products.json", tmp_path / "log.csv"
    catalogue.write_text(json.dumps({**about, "products": products}, indent=indent), "utf8")
    log.write_text(csv("user_id,item_id,timestamp", ROWS), "utf8")
    found = inspect([log, catalogue], console=Console(quiet=True))
    assert found is not None
    assert found.config.data.metadata == [catalogue]
    assert found.config.data.metadata_columns["item_id"] == "id"
    trial = try_out(found, [look_at(log), look_at(catalogue)])
    assert (trial.error, trial.dataset and trial.dataset["items"]) == ("", 7)


def test_a_file_for_each_type(tmp_path: Path) -> None:
    views, purchases = tmp_path / "train-item-views.csv", tmp_path / "train-purchases.csv"
    views.write_text(csv("userId,itemId,eventdate", ROWS), "utf8")
    purchases.write_text(csv("userId,itemId,eventdate", ROWS[::4]), "utf8")  # each at the time of a view
    found = inspect([views, purchases], console=Console(quiet=True))
    assert found is not None
    data = found.config.data
    assert [(entry.path, entry.event_type) for entry in data.interactions if isinstance(entry, InputConfig)] == [
        (views, "view"),
        (purchases, "purchase"),
    ]
    assert data.event_type is None
    trial = try_out(found, [look_at(views), look_at(purchases)])
    assert (trial.error, trial.kept) == ("", len(ROWS) + len(ROWS[::4]))


def test_a_type_for_a_file_that_has_types_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(csv("user_id,item_id,timestamp,event_type", [(*row, "view") for row in ROWS]), "utf8")
    entry = {"path": path, "event_type": "purchase"}
    config = DataConfig.model_validate({"format": "events", "interactions": [entry]})
    with pytest.raises(DataError, match="without a column of types"):
        open_inputs(config).interactions[0].check()


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["Home > Mugs, Home > Gifts", "Home > Mugs"], [">", ","]),
        (["Default/Men,Default/Men/Shirts", "Default/Men"], ["/", ","]),
        (["Bags, Belts > Belts", "Home > Mugs"], []),
        (["Bed/Bath", "Home/Garden"], []),
    ],
)
def test_several_paths_in_one_text(texts: list[str], wanted: list[str]) -> None:
    assert separators_of_paths(Column("categories", pa.array(texts))) == wanted


def test_who_sees_an_item_is_not_said_to_have_viewed_it(tmp_path: Path) -> None:
    kinds = ("impression", "item_impression", "view", "purchase", "exposure")
    rows = [(*row, kinds[k % 5]) for k, row in enumerate(ROWS)]
    found = proposed(tmp_path / "log.csv", csv("user_id,item_id,timestamp,event_type", rows)).config.data
    assert found.event_types == {"item_impression": "impression", "exposure": "impression"}


def test_a_file_of_impressions_beside_one_of_views(tmp_path: Path) -> None:
    views, impressions = tmp_path / "views.csv", tmp_path / "impressions_2024.csv"
    for path in (views, impressions):
        path.write_text(csv("user_id,item_id,timestamp", ROWS), "utf8")
    found = inspect([views, impressions], console=Console(quiet=True))
    assert found is not None
    entries = [entry for entry in found.config.data.interactions if isinstance(entry, InputConfig)]
    assert [(entry.path, entry.event_type) for entry in entries] == [(views, "view"), (impressions, "impression")]
    trial = try_out(found, [look_at(views), look_at(impressions)])
    assert (trial.error, trial.kept) == ("", len(ROWS))
