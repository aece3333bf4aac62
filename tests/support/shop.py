"""The toy shop of the training tests as a prepared dataset, with a text encoder and a config for a small pipeline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from recsys import cli
from recsys.prepare import columns as c
from recsys.prepare.schema import SCHEMA_VERSION
from tests.support.encoders import WORDS, write_encoder
from tests.support.training import N_ITEMS, N_USERS, make_histories

CANDIDATES, PROPOSER_CANDIDATES = 12, 4
PROPOSERS = ["neighbours_bm25", "transitions", "content_tfidf"]


def write_dataset(folder: Path, *, ratings: bool = True) -> None:
    """The toy shop of the training tests as a prepared dataset; its last item was never bought."""
    rng = np.random.default_rng(0)
    frames = []
    for split, part in zip((c.TRAIN, c.VALIDATION), make_histories(), strict=True):
        users = np.repeat(np.arange(N_USERS), part.lengths)
        frames.append(
            pd.DataFrame(
                {
                    c.USER: users.astype(np.int32),
                    c.ITEM: part.items,
                    c.TIMESTAMP: part.timestamps,
                    c.RATING: part.ratings if ratings else np.float32("nan"),
                    c.WEIGHT: part.weights,
                    c.SPLIT: split,
                }
            )
        )
    interactions = pd.concat(frames).sort_values([c.USER, c.TIMESTAMP], kind="stable")
    words = [" ".join(rng.choice(WORDS, 4)) for _ in range(N_ITEMS + 1)]
    items = pd.DataFrame(
        {
            c.ITEM: np.arange(N_ITEMS + 1, dtype=np.int32),
            c.ITEM_ID: [f"item-{n}" for n in range(N_ITEMS + 1)],
            c.TITLE: words,
            c.TEXT: words,
            c.BRAND: ["" if n % 5 == 1 else f"brand {n % 3}" for n in range(N_ITEMS + 1)],
            c.CATEGORIES: [[] if n % 7 == 0 else ["All", f"category {n % 4}"] for n in range(N_ITEMS + 1)],
            c.PRICE: [np.nan if n % 6 == 0 else 10.0 + n for n in range(N_ITEMS + 1)],
            c.DESCRIPTION: [""] * (N_ITEMS + 1),
            c.IMAGE: [""] * (N_ITEMS + 1),
        }
    )
    folder.mkdir(parents=True)
    interactions.to_parquet(folder / c.INTERACTIONS_FILE, index=False)
    items.to_parquet(folder / c.ITEMS_FILE, index=False)
    users = pd.DataFrame({c.USER: np.arange(N_USERS), c.USER_ID: [f"user-{n}" for n in range(N_USERS)]})
    users.to_parquet(folder / c.USERS_FILE, index=False)
    (folder / c.MANIFEST_FILE).write_text(json.dumps({"schema_version": SCHEMA_VERSION, "name": folder.name}))


@dataclass(frozen=True)
class Shop:
    """A folder with a prepared dataset, a text encoder and a config file."""

    folder: Path
    config: Path

    def train(self, *arguments: str) -> int:
        return cli.main(["train", "--config", str(self.config), *arguments])

    @property
    def bundles(self) -> Path:
        return self.folder / "bundles/tiny"


def open_shop(folder: Path, *, ratings: bool = True, **sections: dict[str, Any]) -> Shop:
    write_dataset(folder / "prepared/tiny", ratings=ratings)
    encoder = write_encoder(folder / "encoder", "bert", safetensors=True)
    settings = {
        "name": "tiny",
        "data": {"format": "events", "interactions": ["unused"], "prepared_dir": str(folder / "prepared")},
        "text": {
            "encoder": [str(encoder)],
            "cache_dir": str(folder / "cache"),
            "max_tokens": 16,
            "precision": "float32",
        },
        "model": {"dim": 16, "layers": 1, "max_history": 8, "dropout": 0.1, "text_match_dim": 4, "rating_hidden": [8]},
        "training": {"run_dir": str(folder / "runs"), "batch_size": 32, "learning_rate": 0.01, "epochs": 20},
        "bundle": {"dir": str(folder / "bundles")},
        "retrieval": {
            "retrievers": ["popularity", "neighbours_bm25", "transitions", "ease", "als", "content_tfidf"],
            "trials": 2,
            "decay": [0.3, 0.8],
            "neighbours_k": [20],
            "bm25_b": [0.2],
            "transitions_reverse": [0.3],
            "transitions_target_power": [0.3],
            "ease_max_items": 10,
            "als_factors": [8],
            "als_iterations": 3,
        },
        "ranking": {
            "retrievers": PROPOSERS,
            "candidates": CANDIDATES,
            "retriever_candidates": PROPOSER_CANDIDATES,
            "hidden": [8],
            "epochs": 4,
            "batch_size": 32,
        },
    }
    for name, section in sections.items():
        settings[name] = settings.get(name, {}) | section
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    return Shop(folder, folder / "config.yaml")
