"""Shops with next to nothing in them train, evaluate and serve, or are refused for the real reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.core.errors import DataError
from tests.support.degenerate_shops import SHOPS, RawShop, programs
from tests.support.encoders import write_encoder
from tests.support.serving import Answer, get, running

FAST = ["everything the same"]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "bert", "bert", safetensors=True)


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in SHOPS]
)
def test_it_trains_and_serves_or_says_why_not(name: str, encoder: Path, tmp_path: Path) -> None:
    shop = SHOPS[name]
    codes, told = programs(shop.write(tmp_path, encoder))
    assert "Traceback" not in told
    if shop.refusal is not None:
        assert codes == {"prepare": DataError.exit_code}
        assert shop.refusal in told
        return
    assert codes == {"prepare": 0, "train": 0, "evaluate": 0}, told
    assert_finite(tmp_path / "reports/tiny")
    serve(tmp_path / "bundles/tiny", shop)


def assert_finite(report: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in metrics.json")

    json.loads((report / "metrics.json").read_text("utf8"), parse_constant=refuse)
    page = (report / "report.html").read_text("utf8")
    assert not re.search(r"(?<![\w])[+±-]?(nan|inf|infinity)(?![\w])", page, re.IGNORECASE)


def serve(bundle: Path, shop: RawShop) -> None:
    """Ask for lists of users with and without a history, of sessions and of every model, longer than the catalogue."""
    rows = shop.events
    with open_bundle(bundle) as opened:
        n_items = opened.n_items
    with running(bundle=bundle, store="none") as (client, _):
        for user in (rows[0]["user_id"], rows[-1]["user_id"], "a stranger"):
            check(get(client, user, k=100, exclude_seen=False), n_items)
            unseen = get(client, user, k=100)
            seen = {row["item_id"] for row in rows if row["user_id"] == user}
            assert not seen & {item["item_id"] for item in unseen["items"]}
        session = client.post("/recommendations", json={"history": [rows[0]["item_id"]], "k": 5})
        assert session.status_code == 200, session.text
        for model in client.get("/models").json()["models"]:
            answer = get(client, rows[0]["user_id"], model=model["name"], k=100, exclude_seen=False)
            check(answer, n_items)
        for path in ("/items/popular?k=100", f"/items/{rows[0]['item_id']}/similar?k=100"):
            response = client.get(path)
            assert response.status_code == 200, response.text


def check(answer: Answer, n_items: int) -> None:
    items: list[dict[str, Any]] = answer["items"]
    assert len({item["item_id"] for item in items}) == len(items) == min(n_items, 100)
    assert np.isfinite([item["score"] for item in items]).all()
    ratings = [item["predicted_rating"] for item in items if item["predicted_rating"] is not None]
    assert all(1 <= rating <= 5 for rating in ratings)
