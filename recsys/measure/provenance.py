"""The origin of figures: the run, the machine, the bundle, the data."""

from __future__ import annotations

import hashlib
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from recsys.bundle import Bundle
from recsys.bundle.manifest import as_json
from recsys.config import Config
from recsys.core.cores import available_cores
from recsys.core.errors import BundleError
from recsys.data_defaults import with_data_defaults
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset

PACKAGES = ("numpy", "scann", "onnxruntime", "scipy", "tensorflow", "implicit", "scikit-learn", "scikit-surprise")
DATASET_KEYS = ("name", "sources", "interactions", "metadata", "split", "counts", "time_range", "cold_items")

_FOLDERS = ("prepared_dir", "run_dir")  # where files lie changes no figure


def provenance(bundle: Bundle, dataset: PreparedDataset, config: Config, command: str) -> dict[str, Any]:
    """What metrics.json and the report say of the origin of their figures; JSON-ready."""
    manifest = bundle.manifest
    return {
        "name": config.name,
        "synthetic": config.synthetic or bool(dataset.manifest.get("synthetic")),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "seed": config.seed,
        "machine": machine(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "bundle": {
            "version": bundle.version,
            "created_at": manifest.created_at,
            "seed": manifest.config.get("seed"),
            "index": as_json(manifest.index),
            "metrics": as_json(manifest.metrics),
        },
        "dataset": {key: dataset.manifest[key] for key in DATASET_KEYS if key in dataset.manifest},
        "config": config.model_dump(mode="json"),
        "changed_settings": changed_settings(manifest.config, with_data_defaults(config, dataset)),
    }


def require_same_dataset(bundle: Bundle, dataset: PreparedDataset) -> None:
    """Refuse a bundle whose training data may hold what it is asked to predict here.

    Raises:
        BundleError: it was trained on another dataset or another preparation of it.
    """
    remedy = "train again after preparing, or name another bundle"
    if len(bundle.item_embeddings) != dataset.n_items:
        raise BundleError(
            f"a bundle trained on {dataset.path}, which has {dataset.n_items} items",
            f"{bundle.path} with {len(bundle.item_embeddings)} items",
            remedy,
        )
    trained_on = bundle.manifest.dataset.manifest_sha256
    if trained_on is not None:
        present = hashlib.sha256((dataset.path / c.MANIFEST_FILE).read_bytes()).hexdigest()
        if trained_on != present:
            raise BundleError(
                f"a bundle trained on {dataset.path} as it is now",
                f"{bundle.path}, trained on another preparation, whose split may differ",
                remedy,
            )


def changed_settings(trained: dict[str, Any], config: Config) -> dict[str, list[Any]]:
    """Settings of the model and its data that differ from those the bundle was trained with: key -> [then, now]."""
    now = config.model_dump(mode="json")
    changed = {}
    for section in ("data", "text", "model", "training", "index", "retrieval", "ranking"):
        then = trained.get(section)
        if isinstance(then, dict):
            for key, value in now[section].items():
                if key in then and then[key] != value and key not in _FOLDERS:
                    changed[f"{section}.{key}"] = [then[key], value]
    return changed


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system of this machine."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "memory_gib": round(_memory_bytes() / 2**30, 1) or None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
