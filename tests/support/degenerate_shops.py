"""Shops in which something that others tell apart is all the same, missing, or too small: as raw files of event logs.

Each is a function that gives what the shop has; `SHOPS` names all. Rows are drawn by a seeded generator.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recsys import cli
from tests.support.encoders import WORDS

Row = dict[str, Any]
START, DAY = 1_700_000_000, 86_400
TEMPORAL = {"method": "temporal"}


@dataclass(frozen=True)
class RawShop:
    """A shop as its owner has it.

    Attributes:
        events: rows of its log; the columns are those of the first row.
        catalogue: its items; empty: there is no catalogue.
        split: section data.split of its config.
        sections: other sections of its config.
        refusal: what the error message says where no model can be made of it; None: it trains and serves.
    """

    events: list[Row]
    catalogue: list[Row] = field(default_factory=list)
    split: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refusal: str | None = None

    def write(self, folder: Path, encoder: Path) -> Path:
        """Write log, catalogue and config into `folder`; the config's path."""
        log = folder / "log.csv"
        with log.open("w", encoding="utf8", newline="") as file:
            writer = csv.DictWriter(file, [*self.events[0], *({"event_type"} - self.events[0].keys())])
            writer.writeheader()
            writer.writerows({"event_type": "purchase"} | row for row in self.events)
        data: dict[str, Any] = {"interactions": [str(log)], "split": dict(self.split)}
        if self.catalogue:
            data["metadata"] = [str(folder / "catalogue.jsonl")]
            (folder / "catalogue.jsonl").write_text("".join(json.dumps(item) + "\n" for item in self.catalogue), "utf8")
        settings = _settings(folder, encoder)
        for name, section in (("data", data), *self.sections.items()):
            settings[name] = settings.get(name, {}) | section
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path


def _settings(folder: Path, encoder: Path) -> dict[str, Any]:
    """A config with every source, as small as can be."""
    return {
        "name": "tiny",
        "data": {
            "format": "events",
            "k_core_users": 0,
            "k_core_items": 0,
            "prepared_dir": str(folder / "prepared"),
        },
        "text": {
            "encoder": [str(encoder)],
            "cache_dir": str(folder / "cache"),
            "max_tokens": 16,
            "precision": "float32",
        },
        "model": {"dim": 8, "layers": 1, "max_history": 8, "text_match_dim": 4, "rating_hidden": [4]},
        "training": {"run_dir": str(folder / "runs"), "epochs": 1},
        "bundle": {"dir": str(folder / "bundles")},
        "retrieval": {
            "trials": 1,
            "als_factors": [4],
            "als_iterations": 2,
            "bpr_factors": [4],
            "bpr_iterations": 2,
        },
        "ranking": {"epochs": 1, "hidden": [4]},
        "evaluation": {
            "report_dir": str(folder / "reports"),
            "bootstrap_samples": 20,
            "svd_epochs": [2],
            "svd_factors": [2],
            "svd_learning_rate": [0.01],
            "svd_regularization": [0.05],
            "svdpp_epochs": [2],
            "svdpp_factors": [2],
            "svdpp_learning_rate": [0.01],
            "svdpp_regularization": [0.05],
        },
    }


def programs(config: Path) -> tuple[dict[str, int], str]:
    """Exit codes of prepare, train and evaluate, up to the first that is not 0, and what they told as errors."""
    codes: dict[str, int] = {}
    told = StringIO()
    with redirect_stderr(told):
        for name in ("prepare", "train", "evaluate"):
            codes[name] = cli.main([name, "--config", str(config)])
            if codes[name]:
                break
    return codes, " ".join(told.getvalue().split())


def _log(
    n_users: int = 30, n_items: int = 12, of_user: int = 5, *, seed: int = 0, **columns: Callable[[int], Any]
) -> list[Row]:
    """Events of users with `of_user` distinct items each, a day apart; further columns are functions of the row."""
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for user in range(n_users):
        first = START + int(random.integers(0, 50)) * DAY
        for step, item in enumerate(random.permutation(n_items)[:of_user].tolist()):
            number = len(rows)
            rows.append(
                {"user_id": f"u{user}", "item_id": f"i{item}", "timestamp": first + step * DAY}
                | {name: value(number) for name, value in columns.items()}
            )
    return rows


def _catalogue(n_items: int = 12, **fields: Callable[[int], Any]) -> list[Row]:
    """Items with two words, brand, category and price, unless `fields` says otherwise."""
    usual: dict[str, Callable[[int], Any]] = {
        "title": lambda n: f"{WORDS[n % len(WORDS)]} {WORDS[n * 5 % len(WORDS)]}",
        "brand": lambda n: f"brand {n % 3}",
        "categories": lambda n: ["All", f"category {n % 4}"],
        "price": lambda n: 5.0 + n,
    }
    return [{"item_id": f"i{n}"} | {name: value(n) for name, value in (usual | fields).items()} for n in range(n_items)]


def _same(value: Any) -> Callable[[int], Any]:
    return lambda _: value


def _crossed(users: Iterable[int], items: Iterable[int]) -> list[Row]:
    """Every user with every item, in an order of the user's own."""
    chosen = list(items)
    return [
        {"user_id": f"u{user}", "item_id": f"i{chosen[(user + n) % len(chosen)]}", "timestamp": START + n * DAY + user}
        for user in users
        for n in range(len(chosen))
    ]


def _with_new_items() -> list[Row]:
    """Validation and test hold nothing but items that train does not."""
    old = _crossed(range(20), range(8))
    first = max(row["timestamp"] for row in old) + DAY
    return old + [
        {"user_id": f"u{n % 20}", "item_id": f"new{n}", "timestamp": first + n * DAY} for n in range(len(old) // 4)
    ]


def _one_bot() -> list[Row]:
    bot = [{"user_id": "bot", "item_id": f"i{n}", "timestamp": START + n} for n in range(300)]
    return bot + _log(20, 12, 4)


def _clock_of_2099() -> list[Row]:
    rows = _log()
    return [*rows[:7], {"user_id": "u1", "item_id": "i11", "timestamp": 4_070_908_800}, *rows[7:]]


def _again_and_again(n_items: int) -> list[Row]:
    return [
        {"user_id": f"u{user}", "item_id": f"i{(user + week) % n_items}", "timestamp": START + 7 * DAY * week + user}
        for user in range(12)
        for week in range(10)
    ]


ONE_EVENT = [{"user_id": f"u{n}", "item_id": f"i{n % 7}", "timestamp": START + n * DAY} for n in range(60)]
EMOJI = ["😀", "🚲🚲", "☕", "🎸", "🧦 🧦", "🪑"]

SHOPS: dict[str, RawShop] = {
    "all titles the same": RawShop(_log(), _catalogue(title=_same("red shoe"))),
    "all but one title the same": RawShop(_log(), _catalogue(title=lambda n: "lamp" if n == 3 else "red shoe")),
    "nothing but one brand for a text": RawShop(_log(), [{"item_id": f"i{n}", "brand": "oak"} for n in range(12)]),
    "everything the same": RawShop(
        _log(),
        _catalogue(title=_same("oak"), brand=_same("b"), categories=_same(["All"]), price=_same(4.5)),
    ),
    "one price": RawShop(_log(), _catalogue(price=_same(4.5))),
    "free of charge": RawShop(_log(), _catalogue(price=_same(0))),
    "one item with a price": RawShop(_log(), _catalogue(price=lambda n: 9.99 if n == 2 else None)),
    "prices of all magnitudes": RawShop(_log(), _catalogue(price=lambda n: 10.0 ** (n - 3))),
    "one brand": RawShop(_log(), _catalogue(brand=_same("the brand"))),
    "one category": RawShop(_log(), _catalogue(categories=_same(["All"]))),
    "a brand for each item": RawShop(_log(), _catalogue(brand=lambda n: f"brand {n}")),
    "emoji": RawShop(_log(), _catalogue(title=lambda n: EMOJI[n % len(EMOJI)], brand=_same(None))),
    "punctuation": RawShop(_log(), _catalogue(title=_same("..."), brand=_same("-"))),
    "long texts": RawShop(
        _log(), _catalogue(title=lambda n: "shoe " * 9_000 + str(n), description=_same("x" * 50_000))
    ),
    "no catalogue": RawShop(_log()),
    "a catalogue of other items": RawShop(_log(), [{"item_id": f"other{n}", "title": "lamp"} for n in range(5)]),
    "more new items than others": RawShop(_log(), _catalogue(150)),
    "new items without a text": RawShop(_log(), [*_catalogue(), *({"item_id": f"new{n}"} for n in range(20))]),
    "new items, repeats": RawShop(_again_and_again(4), _catalogue(30), {}, {"data": {"repeats": "all"}}),
    "a catalogue of ids": RawShop(_log(), [{"item_id": f"i{n}"} for n in range(12)]),
    "one rating": RawShop(_log(rating=_same(5.0)), _catalogue()),
    "the least rating": RawShop(_log(rating=_same(1.0)), _catalogue()),
    "no rating is known": RawShop(_log(rating=_same("")), _catalogue()),
    "a single rating": RawShop(_log(rating=lambda n: 4.0 if n == 10 else ""), _catalogue()),
    "one rating a user": RawShop(_log(rating=lambda n: 1.0 + n % 4 if n % 5 == 0 else ""), _catalogue()),
    "views alone": RawShop(_log(event_type=_same("view"))),
    "one event a user": RawShop(ONE_EVENT, _catalogue(), TEMPORAL),
    "one event a user, rated": RawShop([row | {"rating": 1 + n % 5} for n, row in enumerate(ONE_EVENT)], [], TEMPORAL),
    "one event a user, without item ids": RawShop(ONE_EVENT, _catalogue(), TEMPORAL, {"model": {"use_item_id": False}}),
    "one event a user, nothing known of items": RawShop(
        ONE_EVENT, [], TEMPORAL, {"model": {"use_item_id": False, "text_match": False}}
    ),
    "one event a user, leave one out": RawShop(ONE_EVENT, _catalogue(), refusal="temporal"),
    "two events a user": RawShop(_log(of_user=2), _catalogue(), TEMPORAL),
    "three events a user": RawShop(_log(of_user=3), _catalogue()),
    "one item": RawShop(_log(n_items=1), [], TEMPORAL),
    "one item with a text": RawShop(_log(n_items=1), _catalogue(1), TEMPORAL),
    "two items": RawShop(_log(n_items=2), _catalogue(2), TEMPORAL),
    "two items, leave one out": RawShop(_log(n_items=2), _catalogue(2), refusal="temporal"),
    "three items": RawShop(_log(n_items=3)),
    "one user": RawShop(_log(n_users=1, n_items=40, of_user=40), _catalogue(40), TEMPORAL),
    "one user, leave one out": RawShop(_log(n_users=1, n_items=40, of_user=40), _catalogue(40)),
    "one event": RawShop(_log(n_users=1, of_user=1), refusal="none"),
    "two users": RawShop(_log(n_users=2, n_items=10, of_user=8), _catalogue()),
    "everyone bought everything": RawShop(_crossed(range(15), range(8)), _catalogue(8)),
    "everyone bought everything, by time": RawShop(_crossed(range(15), range(8)), [], TEMPORAL),
    "everyone bought the same in the same order": RawShop(
        [
            {"user_id": f"u{user}", "item_id": f"i{n}", "timestamp": START + n * DAY}
            for user in range(15)
            for n in range(6)
        ]
    ),
    "no item bought twice": RawShop(
        [{"user_id": f"u{n % 20}", "item_id": f"i{n}", "timestamp": START + n * DAY} for n in range(100)]
    ),
    "nothing but new items to validate on": RawShop(_with_new_items(), _catalogue(8), TEMPORAL),
    "one time": RawShop(_log(timestamp=_same(START)), _catalogue()),
    "one time, split by time": RawShop(_log(timestamp=_same(START)), split=TEMPORAL, refusal="leave_one_out"),
    "two times": RawShop(_log(timestamp=lambda n: START + (n % 10 > 8)), split=TEMPORAL, refusal="2 different"),
    "one bot": RawShop(_one_bot()),
    "a clock of 2099": RawShop(_clock_of_2099()),
    "one item again and again": RawShop(_again_and_again(1), [], {}, {"data": {"repeats": "all"}}),
    "the same groceries every week": RawShop(_again_and_again(4), _catalogue(4), {}, {"data": {"repeats": "all"}}),
    "the same groceries, counted": RawShop(_again_and_again(4), _catalogue(4), {}, {"data": {"repeats": "count"}}),
    "without a ranker": RawShop(_log(), _catalogue(), sections={"ranking": {"epochs": 0}}),
    "an SVD start": RawShop(_crossed(range(15), range(8)), sections={"model": {"item_id_init": "svd"}}),
}
