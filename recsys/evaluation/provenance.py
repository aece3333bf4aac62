"""Where figures come from: the run, the machine, the bundle, the data."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.config import Config
from recsys.dataset.prepared import PreparedDataset

if TYPE_CHECKING:
    from recsys.bundle import Bundle

PACKAGES = ("numpy", "scann", "onnxruntime", "scipy", "tensorflow")
DATASET_KEYS = ("name", "sources", "interactions", "metadata", "split", "counts", "time_range")


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
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "bundle": {
            "version": bundle.version,
            "created_at": manifest.get("created_at"),
            "index": manifest.get("index"),
            "metrics": manifest.get("metrics", {}),
        },
        "dataset": {key: dataset.manifest[key] for key in DATASET_KEYS if key in dataset.manifest},
        "config": config.model_dump(mode="json"),
        "changed_settings": changed_settings(manifest.get("config", {}), config),
    }


def changed_settings(trained: dict[str, Any], config: Config) -> dict[str, list[Any]]:
    """Settings of the model and its data that differ from those the bundle was trained with: key -> [then, now]."""
    now = config.model_dump(mode="json")
    changed = {}
    for section in ("data", "text", "model", "training", "ranking"):
        then = trained.get(section)
        if isinstance(then, dict):
            for key, value in now[section].items():
                if key in then and then[key] != value:
                    changed[f"{section}.{key}"] = [then[key], value]
    return changed


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system of this machine."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
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
