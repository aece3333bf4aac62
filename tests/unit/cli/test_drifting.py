"""`recsys drift`: what it prints, writes and exits with."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from recsys.cli.app import main
from recsys.cli.drifting import DRIFTED
from recsys.store import Event, Store
from tests.support.bundles import DAY, make_bundle


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of a shop whose bundle is from long ago, and whose store has purchases of yesterday."""
    make_bundle(tmp_path / "bundles", name="shop", n_users=200)
    file = tmp_path / "store.sqlite"
    with Store.open(f"sqlite:///{file}") as store:
        store.upgrade()
        yesterday = time.time() - DAY
        store.append([Event(f"e{n}", f"user{n}", "item1", "purchase", yesterday + n) for n in range(60)])
    path = tmp_path / "shop.yaml"
    path.write_text(
        f"""
name: shop
data: {{format: store, interactions: [{file}], prepared_dir: {tmp_path / "prepared"}}}
bundle: {{dir: {tmp_path / "bundles"}}}
evaluation: {{report_dir: {tmp_path / "reports"}}}
drift: {{days: 10000, least_interactions: 50}}
"""
    )
    return path


def test_it_says_where_the_shop_stands(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", "--config", str(config), "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["read"] == "store"
    assert report["interactions"] == 60
    assert report["worst"] == "alert"  # one item alone is bought
    assert json.loads((config.parent / "reports/shop/drift.json").read_text()) == report
    assert "popularity" in err


def test_a_scheduler_may_ask_for_an_exit_code(config: Path) -> None:
    assert main(["drift", "--config", str(config), "--fail-on", "alert"]) == DRIFTED
    bands = "drift.psi_alert=1000", "drift.volume_alert=1e9", "drift.top_items_alert=1", "drift.new_users_alert=1"
    calm = ["drift", "--config", str(config), "--fail-on", "alert", "--set", *bands]
    assert main(calm) == 0
    assert main([*calm[:4], "watch", *calm[5:]]) == DRIFTED


def test_a_store_that_is_gone_is_said(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "store.sqlite").write_bytes(b"no database" * 100)
    code = main(["drift", "--config", str(config)])
    assert code in (0, 3)
    assert "store" in "".join(capsys.readouterr())
