"""A generated grocer: everyone buys staples again and again, and now and then something once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from recsys import cli
from tests.support.encoders import write_encoder

USERS, WEEKS, WEEK = 60, 10, 7 * 86_400
STAPLES, ONCE = 12, 30
MILK = "staple-0"


def write_log(path: Path) -> None:
    """Each user buys milk each week, and most weeks two staples of an own choice; each week another thing once."""
    rng = np.random.default_rng(0)
    lines = ["user_id,item_id,event_type,timestamp,quantity"]
    for user in range(USERS):
        own = [0, *(1 + rng.choice(STAPLES - 1, 2, replace=False)).tolist()]
        once = rng.permutation(ONCE)[:WEEKS]
        for week in range(WEEKS):
            start = 1_600_000_000 + week * WEEK + user * 600
            basket = [f"staple-{n}" for n in own if n == 0 or rng.random() < 0.9]
            basket = [f"once-{once[week]}", *rng.permutation(basket).tolist()]
            lines += [f"user-{user},{item},purchase,{start + 60 * n},1" for n, item in enumerate(basket)]
    path.write_text("\n".join(lines) + "\n", "utf8")


def trained(folder: Path, repeats: str) -> Path:
    """Prepare and train with `data.repeats`; returns the config."""
    log, encoder = folder / "log.csv", folder / "encoder"
    if not log.exists():
        write_log(log)
        write_encoder(encoder, "bert", safetensors=True)
    settings = {
        "name": repeats,
        "synthetic": True,
        "data": {
            "format": "events",
            "interactions": [str(log)],
            "prepared_dir": str(folder / "prepared"),
            "k_core_users": 0,
            "k_core_items": 0,
            "repeats": repeats,
        },
        "text": {
            "encoder": [str(encoder)],
            "cache_dir": str(folder / "cache"),
            "max_tokens": 8,
            "precision": "float32",
        },
        "model": {"dim": 16, "layers": 1, "max_history": 20, "dropout": 0.1, "text_match_dim": 4, "rating_hidden": [8]},
        "training": {"run_dir": str(folder / "runs"), "batch_size": 32, "learning_rate": 0.01, "epochs": 10},
        "bundle": {"dir": str(folder / "bundles")},
        "retrieval": {
            "retrievers": ["popularity", "neighbours_bm25", "transitions", "als", "content_tfidf"],
            "trials": 2,
            "als_factors": [8],
            "als_iterations": 3,
        },
        "ranking": {
            "retrievers": ["neighbours_bm25", "transitions"],
            "candidates": 12,
            "retriever_candidates": 8,
            "hidden": [8],
            "epochs": 4,
            "batch_size": 32,
        },
        "evaluation": {"report_dir": str(folder / "reports"), "bootstrap_samples": 20},
    }
    config = folder / f"{repeats}.yaml"
    config.write_text(yaml.safe_dump(settings), "utf8")
    for command in ("prepare", "train"):
        assert cli.main([command, "--config", str(config)]) == 0
    return config
