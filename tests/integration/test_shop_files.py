"""Files as real shops and public datasets have them: each is read rightly, or refused with what is wrong with it.

Every file is made of one small log (`tests.support.shop_files`). What a file changes of it, and what must come of that,
is derived by hand.
"""

import bz2
import codecs
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.core.errors import DataError
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from tests.support.shop_files import HEADER, ROWS, START, Came, Shop, catalogue, parquet, text, with_value, zipped


def whole(came: Came) -> bool:
    """All rows, as they stand."""
    return (
        (came.kept, came.dropped) == (40, {})
        and came.times == [START + 3600 * k for k in range(40)]
        and came.prices == {2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5}
        and came.users == {f"u{n}" for n in range(8)}
        and came.items == {f"i{n}" for n in range(7)}
    )


def all_but(cause: str, count: int = 1) -> Callable[[Came], bool]:
    """All rows but so many, which one cause drops."""
    return lambda came: came.dropped == {cause: count} and came.kept == came.log["lines"] - count


def times_from(first: int, step: int) -> Callable[[Came], bool]:
    return lambda came: came.kept == 40 and came.times == [first + step * k for k in range(40)]


HOURS = [f"2020-09-{13 + k // 24:02}T{k % 24:02}:00:00" for k in range(40)]
DAY = 86_400
MIDNIGHT = 1_599_955_200  # of 2020-09-13

FILES: dict[str, Shop] = {
    # Delimited text
    "as documented": Shop(text().encode(), whole),
    "lines that end with CR LF": Shop(text(end="\r\n").encode(), whole),
    "lines that end with CR": Shop(text(end="\r").encode(), whole),
    "a byte order mark": Shop(codecs.BOM_UTF8 + text().encode(), whole),
    "UTF-16 of a spreadsheet": Shop(text().encode("utf-16"), whole),
    "UTF-16, big end first, no mark": Shop(codecs.BOM_UTF16_BE + text(end="\r\n").encode("utf-16-be"), whole),
    "semicolons and decimal commas": Shop(
        text(with_value("price", lambda _, price: price.replace(".", ",")), delimiter=";").encode(), whole
    ),
    "tabs": Shop(text(delimiter="\t").encode(), whole),
    "bars": Shop(text(delimiter="|").encode(), whole),
    "a stray quote": Shop(
        text(with_value("note", lambda k, note: '"a 5 ft board' if k == 20 else note)).encode(),
        lambda came: came.kept + sum(came.dropped.values()) == 40 and came.kept >= 39,
        settings={"max_bad_line_share": 0.03},
    ),
    "an inch": Shop(text(with_value("note", lambda _, __: '5" board')).encode(), whole),
    "quotes with delimiters and line ends": Shop(
        text(with_value("note", lambda k, _: f'"one, two\nthree ""{k}"""')).encode(), whole
    ),
    "a footer": Shop(
        text([*ROWS, ["40 rows selected."]]).encode(), all_but("malformed"), settings={"max_bad_line_share": 0.03}
    ),
    "blank lines at the end": Shop(text().encode() + b"\n\n", lambda came: came.kept == 40),
    "put together with cat": Shop(
        (text(ROWS[:20]) + text(ROWS[20:])).encode(),
        lambda came: came.kept == 40 and sum(came.dropped.values()) == 1,
        settings={"max_bad_line_share": 0.03},
    ),
    "a column twice": Shop(text(header=[*HEADER[:5], "price"]).encode(), refused="price"),
    "no names of columns": Shop(text().partition("\n")[2].encode(), refused="no names"),
    "a page in a column": Shop(
        text(with_value("note", lambda k, _: "x" * 9_000_000 if k == 7 else "-")).encode(), whole
    ),
    "Latin-1": Shop(
        text(with_value("item_id", lambda k, item: f"caf\xe9-{item}")).encode("latin-1"),
        refused=r"(?i)latin|utf-8|encoding",
    ),
    "Latin-1, named": Shop(
        text(with_value("item_id", lambda _, item: f"caf\xe9-{item}")).encode("latin-1"),
        lambda came: came.kept == 40 and came.items == {f"café-i{n}" for n in range(7)},
        settings={"encoding": "latin-1"},
    ),
    # Containers
    "bzip2": Shop(bz2.compress(text().encode()), whole, name="log.csv.bz2"),
    "xz": Shop(lzma.compress(text().encode()), whole, name="log.csv.xz"),
    "zstd": Shop(bytes(pa.compress(text().encode(), "zstd")), whole, name="log.csv.zst"),
    "ZIP": Shop(zipped(log=text()), whole, name="log.zip"),
    "ZIP of two days": Shop(zipped(day1=text(ROWS[:24]), day2=text(ROWS[24:])), whole, name="log.zip"),
    "ZIP named CSV": Shop(zipped(log=text()), whole),
    "a workbook": Shop(zipped(log="x").replace(b"log.csv", b"xl/book"), refused="."),
    "a cut bzip2": Shop(bz2.compress(text().encode())[:-20], refused=r"(?i)complete|ends|cut"),
    "a web page": Shop(b"<!DOCTYPE html><html><body>Please log in</body></html>\n", refused="(?i)page|html|column"),
    # Times
    "seconds": Shop(text(with_value("timestamp", lambda k, _: f"{START + k}")).encode(), times_from(START, 1)),
    "milliseconds": Shop(text(with_value("timestamp", lambda k, _: f"{START + k}789")).encode(), times_from(START, 1)),
    "microseconds": Shop(
        text(with_value("timestamp", lambda k, _: f"{START + k}789123")).encode(), times_from(START, 1)
    ),
    "no zone": Shop(text(with_value("timestamp", lambda k, _: HOURS[k])).encode(), times_from(MIDNIGHT, 3600)),
    "Z": Shop(text(with_value("timestamp", lambda k, _: HOURS[k] + "Z")).encode(), times_from(MIDNIGHT, 3600)),
    "+0200": Shop(
        text(with_value("timestamp", lambda k, _: HOURS[k] + " +0200")).encode(), times_from(MIDNIGHT - 7200, 3600)
    ),
    "a zone by setting": Shop(
        text(with_value("timestamp", lambda k, _: HOURS[k])).encode(),
        times_from(MIDNIGHT - 7200, 3600),
        settings={"time_zone": "Europe/Berlin"},  # UTC+2 in September
    ),
    "AM and PM": Shop(
        text(with_value("timestamp", lambda k, _: f"2020-09-13 {1 + k % 11}:{k:02}:00 PM")).encode(),
        lambda came: came.kept == 40 and came.times[0] == MIDNIGHT + 13 * 3600,
    ),
    "compact dates": Shop(
        text(with_value("timestamp", lambda k, _: f"202009{1 + k % 30:02}")).encode(),
        lambda came: came.kept == 40 and (came.times[0], came.times[-1]) == (MIDNIGHT - 12 * DAY, MIDNIGHT + 17 * DAY),
    ),
    "day or month first": Shop(
        text(with_value("timestamp", lambda k, _: f"{1 + k % 12}/{1 + k % 11}/2020 10:00")).encode(),
        refused=r"date_order",
    ),
    "month first, by setting": Shop(
        text(with_value("timestamp", lambda k, _: f"9/{13 + k % 10}/2020 00:00")).encode(),
        lambda came: came.kept == 40 and (came.times[0], came.times[-1]) == (MIDNIGHT, MIDNIGHT + 9 * DAY),
        settings={"date_order": "month_first"},
    ),
    "words after the time": Shop(
        text(with_value("timestamp", lambda k, _: HOURS[k] + " approx")).encode(), refused="mistyped_field"
    ),
    "one clock that is wrong": Shop(
        text(with_value("timestamp", lambda k, time: "2099-01-01" if k == 39 else f"{HOURS[k]}Z")).encode(),
        lambda came: came.dropped == {"time_in_future": 1} and came.times[-1] < MIDNIGHT + 40 * 3600,
    ),
    "a time that was missing, as 0": Shop(
        text(with_value("timestamp", lambda k, time: "0" if k == 39 else time)).encode(),
        lambda came: came.kept == 39 and sum(came.dropped.values()) == 1,
    ),
    "the newest day first": Shop(
        text(with_value("timestamp", lambda k, _: f"2020-09-{30 - k // 8:02}")).encode(),
        lambda came: came.kept == 40 and len(set(came.times)) == 5 and len(came.dataset.manifest["warnings"]) == 1,
    ),
    # Numbers, ids, types
    "no price, in words": Shop(
        text(with_value("price", lambda k, _: ["NULL", "NaN", "None", "\\N", "N/A", ""][k % 6])).encode(),
        lambda came: came.kept == 40 and not came.prices and not came.dropped,
    ),
    "prices with a sign": Shop(text(with_value("price", lambda _, price: f"€ {price}0")).encode(), whole),
    "floats of pandas as ids": Shop(
        text(with_value("user_id", lambda k, _: f"{1000 + k % 8}.0")).encode(),
        lambda came: came.kept == 40 and came.users == {str(1000 + n) for n in range(8)},
    ),
    "leading zeros": Shop(
        text(with_value("item_id", lambda _, item: f"00{item[1:]}")).encode(),
        lambda came: came.kept == 40 and came.items == {f"00{n}" for n in range(7)},
    ),
    "guests": Shop(
        text(with_value("user_id", lambda k, _: ["NULL", "nan", "None", "anonymous"][k // 8 % 4], every=8)).encode(),
        lambda came: came.kept == 35 and came.users == {f"u{n}" for n in range(1, 8)},
        settings={"max_bad_line_share": 0.2},
    ),
    "blanks and capitals": Shop(
        text(with_value("event_type", lambda k, kind: [" Purchase", "PURCHASE ", kind][k % 3])).encode(), whole
    ),
    "types as numbers": Shop(
        text(with_value("event_type", lambda k, _: str(1 + k % 4))).encode(),
        lambda came: came.kept == 40 and set(came.dataset.interactions["weight"]) == {1.0, 3.0, 2.0, 5.0},
        settings={"event_weights": {1: 1, 2: 3, 3: 2, 4: 5}},
    ),
    "a type without a weight": Shop(
        text(with_value("event_type", lambda _, __: "wishlist")).encode(), refused=r"wishlist(.|\n)*data.event_weights"
    ),
    "an id of a novel": Shop(
        text(with_value("user_id", lambda k, user: "x" * 600 if k == 0 else user)).encode(),
        all_but("invalid_id"),
        settings={"max_bad_line_share": 0.03},
    ),
    "a NUL in an id": Shop(
        text(with_value("item_id", lambda k, item: "a\0b" if k == 0 else item)).encode(),
        lambda came: came.kept == 39,
        settings={"max_bad_line_share": 0.03},
    ),
    "goods that came back": Shop(
        (
            text(header=[*HEADER[:5], "quantity"]).replace(",-\n", ",1\n") + f"u0,i0,purchase,{START + 10**6},2.5,-1\n"
        ).encode(),
        lambda came: (
            came.kept == 41 and came.dataset.manifest["counts"]["interactions"] == 39 and came.times[0] == START + 3600
        ),
    ),
    # Parquet
    "milliseconds in Parquet": Shop(
        parquet(timestamp=[(START + k) * 1000 for k in range(40)]), times_from(START, 1), name="log.parquet"
    ),
    "times of nanoseconds with a zone": Shop(
        parquet(timestamp=pa.array([(START + k) * 10**9 for k in range(40)], pa.timestamp("ns", "Asia/Tokyo"))),
        times_from(START, 1),
        name="log.parquet",
    ),
    "lists as ids": Shop(parquet(item_id=[["a", "b"]] * 40), refused=r"item_id(.|\n)*list", name="log.parquet"),
    "floats as ids": Shop(
        parquet(user_id=[float(1000 + k % 8) for k in range(40)]),
        lambda came: came.users == {str(1000 + n) for n in range(8)},
        name="log.parquet",
    ),
    "floats that lost digits as ids": Shop(
        parquet(user_id=[2.0**60 + 256 * (k % 8) for k in range(40)]), refused=r"user_id", name="log.parquet"
    ),
    # The catalogue
    "numbers as ids of items": Shop(
        text(with_value("item_id", lambda _, item: f"5000{item[1:]}")).encode(),
        lambda came: [came.item(f"5000{n}")["title"] for n in range(7)] == [f"Cup {n}" for n in range(7)],
        catalogue=catalogue(lambda n: {"item_id": 50000 + n, "title": f"Cup {n}"}),
    ),
    "NaN as a price": Shop(
        text().encode(),
        lambda came: all((came.item(f"i{n}")["price"] > 0) == (n % 3 == 0) for n in range(7)),
        catalogue=catalogue(lambda n: {"item_id": f"i{n}", "title": "Cup", "price": float("nan") if n % 3 else 4.5}),
    ),
    "prices of all countries": Shop(
        text().encode(),
        lambda came: (
            [round(float(came.item(f"i{n}")["price"]), 2) for n in range(6)] == [12.99, 1299, 12.99, 499, 9.5, 12.99]
        ),
        catalogue=catalogue(
            lambda n: {
                "item_id": f"i{n}",
                "title": f"Cup {n}",
                "price": ["12,99", "1.299,00 €", "12.99 USD", "₹499", "9,5", "EUR 12,99", "free"][n],
            }
        ),
    ),
    "numbers as titles": Shop(
        text().encode(),
        lambda came: (came.item("i3")["title"], came.item("i3")["brand"]) == ("1984", "47"),
        catalogue=catalogue(lambda n: {"item_id": f"i{n}", "title": 1981 + n, "brand": 44 + n}),
    ),
}


@pytest.mark.parametrize("shop", FILES.values(), ids=FILES)
def test_shop(tmp_path: Path, shop: Shop) -> None:
    path = tmp_path / shop.name
    path.write_bytes(shop.content) if isinstance(shop.content, bytes) else shop.content(path)
    (tmp_path / "items.jsonl").write_text(shop.catalogue, "utf8")
    data = {
        "format": "events",
        "interactions": [path],
        "metadata": [tmp_path / "items.jsonl"] if shop.catalogue else [],
        "prepared_dir": tmp_path / "prepared",
        "k_core_users": 0,
        "k_core_items": 0,
        **shop.settings,
    }
    config = parse_config({"name": "shop", "data": data}, "the test")
    if shop.holds is None:
        with pytest.raises(DataError, match=shop.refused) as error:
            prepare(config, Console(quiet=True))
        assert str(path) in str(error.value)
        assert error.value.remedy
        return
    came = Came(PreparedDataset.load(prepare(config, Console(quiet=True))))
    assert shop.holds(came), (came.log, came.dataset.manifest["interactions"], came.times[:3], came.prices, came.items)
