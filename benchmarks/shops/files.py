"""The files of a generated shop: event log or reviews, catalogue, a config that reads them, and its parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import yaml
from isal import igzip

from benchmarks.shops import catalogue
from benchmarks.shops.parameters import ShopParameters
from benchmarks.shops.users import Choices, chunks
from benchmarks.shops.world import World
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.types import Float64Array, Int64Array

FORMATS = ("amazon_2018", "csv", "parquet")
CONFIG_FILE = "shop.yaml"
CATALOGUE_ROWS = 50_000
_TYPES, _SHARES = np.array(["view", "add_to_cart", "purchase"]), (0.7, 0.1, 0.2)
_STARS = (0.05, 0.04, 0.07, 0.16, 0.68)
Said = Callable[[str], None]


def write_shop(folder: Path, parameters: ShopParameters, kind: str, config: dict[str, Any], said: Said = print) -> Path:
    """Write a shop into `folder`.

    Args:
        folder: where all its files go.
        parameters: what it is made of.
        kind: one of `FORMATS`.
        config: a config whose settings are kept where they are not of the shop's files: split, model, training.
        said: hears how far it is.

    Returns:
        The config, which the product's commands read.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    world = World.of(parameters)
    said(f"{parameters.items:,} items in {parameters.clusters:,} clusters")
    ending = "json.gz" if kind == "amazon_2018" else kind
    log, items = folder / f"events.{ending}", folder / f"items.{ending}"
    written, stopped = 0, 0
    with _log_writer(log, world, kind) as write:
        for chunk in chunks(world):
            write(chunk)
            written += len(chunk.items)
            stopped += chunk.stopped
            said(f"{chunk.chosen_by[-1] + 1:,} of {parameters.users:,} users, {written:,} events")
    if stopped:
        said(f"{stopped:,} users found nothing new and have fewer events than were drawn")
    _write_catalogue(items, world, kind)
    parameters.save(folder)
    path = folder / CONFIG_FILE
    path.write_text(yaml.safe_dump(_config(folder, parameters, kind, config, log, items), sort_keys=False), "utf8")
    return path


def _config(
    folder: Path, parameters: ShopParameters, kind: str, base: dict[str, Any], log: Path, items: Path
) -> dict[str, Any]:
    """The config of the shop: all that a run writes lies below `folder`."""
    config = {key: dict(value) if isinstance(value, dict) else value for key, value in base.items()}
    kept = {key: value for key, value in config.get("data", {}).items() if key not in ("interactions", "metadata")}
    data = kept | {
        "format": "amazon_2018" if kind == "amazon_2018" else "events",
        "interactions": [str(log)],
        "metadata": [str(items)],
        "prepared_dir": str(folder / "prepared"),
    }
    if parameters.repeats:
        data["repeats"] = "all"
    config |= {"name": folder.name, "synthetic": True, "data": data}
    for section, key, below in (
        ("text", "cache_dir", "text_cache"),
        ("training", "run_dir", "runs"),
        ("bundle", "dir", "saved_model"),
        ("evaluation", "report_dir", "reports"),
    ):
        config[section] = config.get(section, {}) | {key: str(folder / below)}
    return config


@contextmanager
def _log_writer(path: Path, world: World, kind: str) -> Iterator[Callable[[Choices], None]]:
    """What writes a chunk of choices behind those before it."""
    codes, first_day = catalogue.item_codes(world), world.parameters.first_day
    random = np.random.default_rng([world.parameters.seed, 4])
    if kind == "amazon_2018":
        review = _Reviews(codes, first_day, world.parameters.days, random)
        with igzip.open(path, "wt", compresslevel=1, encoding="ascii") as file:
            yield lambda chunk: file.writelines(review.lines(chunk))
        return
    prices = catalogue.prices(world)
    # Where things are bought again, what is only looked at would count for less and be dropped.
    shares = (0.0, 0.0, 1.0) if world.parameters.repeats else _SHARES
    schema = _event_table(_no_choices(), codes, prices, first_day, random, shares).schema
    with pq.ParquetWriter(path, schema) if kind == "parquet" else pa_csv.CSVWriter(path, schema) as writer:
        yield lambda chunk: writer.write_table(_event_table(chunk, codes, prices, first_day, random, shares))


def _no_choices() -> Choices:
    none = np.empty(0, np.int64)
    return Choices(none, np.zeros(1, np.int64), none, none, 0)


def _event_table(
    chunk: Choices,
    codes: Int64Array,
    prices: Float64Array,
    first_day: int,
    random: np.random.Generator,
    shares: tuple[float, float, float],
) -> pa.Table:
    count = len(chunk.items)
    kinds = pa.DictionaryArray.from_arrays(random.choice(3, count, p=shares).astype(np.int8), _TYPES)
    return pa.table(
        {
            "user_id": chunk.users,
            "item_id": codes[chunk.items],
            "event_type": kinds.cast(pa.string()),
            "timestamp": (first_day + chunk.days) * SECONDS_PER_DAY + random.integers(SECONDS_PER_DAY, size=count),
            "price": prices[chunk.items],
        }
    )


class _Reviews:
    """Lines of reviews in the raw format of 2018; within a chunk they are grouped by item, as Amazon's are."""

    def __init__(self, codes: Int64Array, first_day: int, days: int, random: np.random.Generator) -> None:
        self._ids = [item_id(code) for code in codes.tolist()]
        self._first_day, self._random = first_day, random
        self._texts = _salads(random)
        dates = (np.arange(days) + first_day).astype("datetime64[D]").astype(object)
        self._dates = [f"{date:%m} {date.day}, {date.year}" for date in dates]

    def lines(self, chunk: Choices) -> Iterator[str]:
        order = np.lexsort((chunk.days, chunk.items))
        count = len(order)
        stars = 1 + self._random.choice(5, count, p=_STARS)
        texts = self._random.integers(len(self._texts), size=count)
        rows = (chunk.users[order].tolist(), chunk.items[order].tolist(), chunk.days[order].tolist())
        for user, item, day, star, number in zip(*rows, stars.tolist(), texts.tolist(), strict=True):
            text, date = self._texts[number], self._dates[day]
            yield (
                f'{{"overall": {star}.0, "verified": true, "reviewTime": "{date}", "reviewerID": "{user_id(user)}", '
                f'"asin": "{self._ids[item]}", "reviewerName": "{text[:12]}", "reviewText": "{text}", '
                f'"summary": "{text[12:40]}", "unixReviewTime": {(self._first_day + day) * SECONDS_PER_DAY}}}\n'
            )


def _salads(random: np.random.Generator) -> list[str]:
    """Texts of the lengths of reviews, about 300 characters, which say nothing: what reviews say is not read."""
    words = ["good", "very", "the", "not", "this", "with", "sound", "great", "much", "again", "never", "long", "nice"]
    lengths = np.clip(random.lognormal(3.5, 0.8, 5_000), 12, 400).astype(int)
    return [" ".join(random.choice(words, length)) for length in lengths]


def user_id(user: int) -> str:
    """How Amazon's format names a user; event logs have the number."""
    return f"A{user:013d}"


def item_id(code: int) -> str:
    """How Amazon's format names an item; event logs have the code."""
    return f"B{code:09d}"


def _write_catalogue(path: Path, world: World, kind: str) -> None:
    codes = catalogue.item_codes(world).tolist()
    if kind == "amazon_2018":
        with igzip.open(path, "wt", compresslevel=1, encoding="ascii") as file:
            file.writelines(map(_metadata_line, codes, catalogue.items(world)))
        return
    schema = _item_table([], []).schema
    rows = catalogue.items(world)
    with pq.ParquetWriter(path, schema) if kind == "parquet" else pa_csv.CSVWriter(path, schema) as writer:
        for start in range(0, len(codes), CATALOGUE_ROWS):
            part = codes[start : start + CATALOGUE_ROWS]
            writer.write_table(_item_table(part, [next(rows) for _ in part]))


def _metadata_line(code: int, item: catalogue.Item) -> str:
    record = {
        "category": item.categories,
        "description": [item.description] if item.description else [],
        "title": item.title,
        "also_buy": [],
        "brand": item.brand,
        "rank": f"{code % 300_000:,} in {catalogue.SHOP} (",
        "main_cat": catalogue.SHOP,
        "price": "" if item.price is None else f"${item.price:,.2f}",
        "asin": item_id(code),
        "imageURLHighRes": [f"https://images.example/I/{code}.jpg"],
    }
    return json.dumps(record) + "\n"


def _item_table(codes: list[int], rows: list[catalogue.Item]) -> pa.Table:
    return pa.table(
        {
            "item_id": pa.array(codes, pa.int64()),
            "title": pa.array([row.title for row in rows], pa.string()),
            "brand": pa.array([row.brand for row in rows], pa.string()),
            # One text, which CSV can hold too.
            "categories": pa.array([" > ".join(row.categories) for row in rows], pa.string()),
            "price": pa.array([row.price for row in rows], pa.float64()),
            "description": pa.array([row.description for row in rows], pa.string()),
        }
    )
