"""Files that are not what the config says: the message names what they are, and what helps."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import ConfigError, DataError
from tests.support.inputs import Logged, day, run, write_store

Settings = dict[str, Any]
JSON_LINES = json.dumps({"user_id": "u", "item_id": "i", "timestamp": "2019-08-28"}) + "\n"
REVIEWS = json.dumps({"reviewerID": "u", "asin": "i", "overall": 5.0, "unixReviewTime": 1}) + "\n"
# What is named, in which format, as which kind; words of the message.
MISNAMED: dict[str, tuple[str, str, str, str]] = {
    "JSON lines as a log": (JSON_LINES * 9, "events", "interactions", r"no event_type among(.|\n)*data.event_type"),
    "reviews as a log": (REVIEWS * 9, "events", "interactions", r"JSON lines(.|\n)*data.format: amazon_2014"),
    "other names": (
        "visitorid,itemid,action,timestamp\n1,2,view,3\n",
        "events",
        "interactions",
        r"no user_id, item_id, event_type among visitorid.*nearest: visitorid for user_id, itemid for item_id, action"
        r"(.|\n)*set data.columns: {user_id: visitorid, item_id: itemid, event_type: action}",
    ),
    "no time": ("user_id,item_id,event_type\nu,i,view\n", "events", "interactions", "no timestamp(.|\n)*add timestamp"),
    "purchases alone, with ids of events": (
        "event_id,user_id,item_id,timestamp\n1,u,i,1567000580\n",
        "events",
        "interactions",
        r"no event_type among(?!(.|\n)*data.columns)(.|\n)*data.event_type: purchase",
    ),
    "orders of Instacart": (
        "order_id,product_id,add_to_cart_order,reordered\n0,1,1,0\n",
        "events",
        "interactions",
        r"no user_id, item_id, event_type, timestamp among(.|\n)*{item_id: product_id}(.|\n)*add user_id, timestamp"
        r"(.|\n)*data.time_unit: order",
    ),
    "no header": ("17,4,400,pv,1567000580\n" * 9, "events", "interactions", "holds data and no names"),
    "no header, letters": ("u1,i1,view,2020-09-13\n" * 9, "events", "interactions", "holds data and no names"),
    "decimal commas between commas": (
        "user_id,item_id,event_type,timestamp,price\n" + "u,i,view,1567000580,9,5\n" * 9,
        "events",
        "interactions",
        r"fields: 6, separated by commas, where the first line has 5(.|\n)*quotes(.|\n)*data.delimiter",
    ),
    "a first line written otherwise": (
        "user_id;item_id;event_type;timestamp\n" + "u,i,view,1567000580\n" * 9,
        "events",
        "interactions",
        "fields: 1, separated by semicolons, where the first line has 4",
    ),
    "a quote before the end of its field": (
        "user_id,item_id,event_type,timestamp\n" + '"u"1,i,view,1567000580\n' * 9,
        "events",
        "interactions",
        "fields: a quote (.|\n)*closes it before it ends",
    ),
    "another delimiter": (
        "user_id^item_id^event_type^timestamp\nu^i^view^1567000580\n",
        "events",
        "interactions",
        "no user_id(.|\n)*set data.delimiter to what stands between the names",
    ),
    "a number in quotes": (
        REVIEWS.replace("5.0", '"5"') * 9,
        "amazon_2014",
        "interactions",
        r"9 of 9 \(9 mistyped_field\)(.|\n)*overall: expected `float \| null`, got `str`",
    ),
    "ratings alone, of unknown order": (
        "A1,B2,3.0,1567000580\n" * 9,
        "amazon_2018",
        "interactions",
        r"ratings alone as CSV(.|\n)*0% and 0% look like(.|\n)*data.header: \[user_id, item_id, rating, timestamp\]",
    ),
    "a table that is no ratings": (
        "user,price\nA,3.0\n",
        "amazon_2023",
        "interactions",
        r"ratings alone as CSV(.|\n)*the first line 'user,price'",
    ),
    "a catalogue of Python literals": (
        "{'item_id': 'i11', 'title': 'Cup'}\n",
        "events",
        "metadata",
        r"JSON in(.|\n)*Python literals(.|\n)*ast.literal_eval",
    ),
    "reviews in one array": ("[" + REVIEWS.strip() + "]", "amazon_2014", "interactions", "one object a line"),
    "a catalogue with other names": (
        '{"product code": "i11", "name": "Cup"}\n',
        "events",
        "metadata",
        r"no item_id among product code, name; nearest: product code(.|\n)*metadata_columns:\n +item_id: product code",
    ),
    "a catalogue with two ids": (
        "ID,SKU,Name\n7,m-1,Cup\n",
        "events",
        "metadata",
        r"ID and SKU among ID, SKU, Name(.|\n)*metadata_columns:\n +item_id: ID",
    ),
    "RecBole's visitor": (
        "visitor_id:token\titem_id:token\ttimestamp:float\nu\ti\t1\n",
        "recbole",
        "interactions",
        r"no user_id among visitor_id, item_id, timestamp; nearest: visitor_id(.|\n)*columns: {user_id: visitor_id}",
    ),
    "ratings from 0 to 10": (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        + "".join(f"u\ti{n}\t{n}\t15000000{n:02}\n" for n in range(11)),
        "recbole",
        "interactions",
        "6 of 11.*rating_out_of_range(.|\n)*data.rating_range",
    ),
}


@pytest.mark.parametrize(("content", "kind", "place", "words"), MISNAMED.values(), ids=MISNAMED)
def test_what_is_misnamed_is_said_and_not_called_damaged(
    tmp_path: Path, content: str, kind: str, place: str, words: str
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    log = tmp_path / "log.csv"
    log.write_text(day(1))
    named: Settings = (
        {"interactions": [path]} if place == "interactions" else {"interactions": [log], "metadata": [path]}
    )
    with pytest.raises(DataError, match=words) as error:
        run(tmp_path, **named, format=kind)
    assert str(path) in str(error.value)
    assert "download" not in error.value.remedy


def test_a_database_in_a_wrong_place_is_refused_by_name(tmp_path: Path) -> None:
    stored = write_store(tmp_path / "s.db", [Logged("e", "u", "i", "view", 1)])
    with pytest.raises(DataError, match=r"SQLite database(.|\n)*format: store"):
        run(tmp_path, [stored], format="amazon_2023")
    with pytest.raises(DataError, match=r"SQLite database(.|\n)*format: store"):
        run(tmp_path, [{"path": stored, "format": "events"}])
    with pytest.raises(DataError, match=r"SQLite database(.|\n)*data.interactions"):
        run(tmp_path, [stored], metadata=[{"path": stored, "format": "events"}])
    with pytest.raises(DataError, match="a URL"):
        run(tmp_path, ["https://example.com/log.csv"])
    with pytest.raises(DataError, match=r"a URL(.|\n)*format: store") as error:
        run(tmp_path, ["postgresql://me:geheim@host/shop"], format="amazon_2018")
    assert "geheim" not in str(error.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"pth": "x"}, "map.path"),
        ({"path": "x", "format": "xml"}, "no such format"),
        (3, r"interactions.0.path"),
    ],
)
def test_entries_that_are_no_input(tmp_path: Path, entry: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        run(tmp_path, [entry])


def test_a_store_of_something_else(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(DataError, match=r"the server's store in .*other.sqlite"):
        run(tmp_path, [other])
