"""Versions of a small bundle, for tests of servers that hold several."""

from __future__ import annotations

import shutil
from pathlib import Path

from recsys.bundle.layout import CURRENT_FILE
from tests.support.bundles import make_bundle


def make_versions(folder: Path, count: int, n_items: int = 30, n_users: int = 8) -> list[Path]:
    """Versions of one bundle, of seeds 0, 1, ..., the oldest first; the last one is current."""
    versions = []
    for seed in range(count):
        bundle = make_bundle(folder, n_items, n_users, seed, keep=count)
        versions.append(bundle / (bundle / CURRENT_FILE).read_text().strip())
    return versions


def publish(shop: Path, version: Path, *, current: bool = True) -> str:
    """Put a version into the folder of a shop, and point to it if it is to be current; its name."""
    shutil.copytree(version, shop / version.name)
    if current:
        point_to(shop, version.name)
    return version.name


def point_to(shop: Path, name: str) -> None:
    (shop / CURRENT_FILE).write_text(name)
