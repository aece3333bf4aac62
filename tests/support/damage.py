"""Bundles that are whole by their checksums, and wrong all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.bundle.layout import MANIFEST_FILE
from recsys.bundle.manifest import digest, file_sha256

Array = NDArray[Any]

_TYPES = ("int8", "int16", "int32", "int64", "uint32", "uint64", "float16", "float32", "float64", "bool", "complex64")


def manifest_of(version: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((version / MANIFEST_FILE).read_text("utf8"))
    return content


def write_signed(version: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest with the right checksum of itself."""
    signed = {**manifest, "sha256": digest(manifest)}
    (version / MANIFEST_FILE).write_text(json.dumps(signed), "utf8")


def sign(version: Path) -> None:
    """Make the manifest of a version tell of its files as they are."""
    manifest = manifest_of(version)
    for name in manifest["files"]:
        path = version / name
        manifest["files"][name] = {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
    write_signed(version, manifest)


def arrays_in(version: Path) -> list[str]:
    """Every file of arrays, by its name in the manifest; `file.npz:name` for one array of several."""
    plain = [path.relative_to(version).as_posix() for path in sorted(version.rglob("*.npy"))]
    packed = []
    for path in sorted(version.rglob("*.npz")):
        with np.load(path) as arrays:
            packed += [f"{path.relative_to(version).as_posix()}:{name}" for name in arrays.files]
    return plain + packed


def change_array(version: Path, name: str, change: Callable[[Array], Array]) -> None:
    """Replace one of `arrays_in` by what `change` makes of it, and sign the version anew."""
    file, _, inner = name.partition(":")
    path = version / file
    if inner:
        with np.load(path) as packed:
            arrays = dict(packed)
        arrays[inner] = change(arrays[inner])
        np.savez(path, **arrays)
    else:
        np.save(path, change(np.load(path)))
    sign(version)


def mutation(random: np.random.Generator) -> Callable[[Array], Array]:
    """One way to spoil an array."""
    name = random.choice(sorted(_MUTATIONS))
    return lambda array: _MUTATIONS[name](array, random)


def _of_another_type(array: Array, random: np.random.Generator) -> Array:
    with np.errstate(all="ignore"):
        return array.astype(random.choice(_TYPES))


def _flat_or_twice(array: Array, random: np.random.Generator) -> Array:
    if array.ndim == 0:
        return array.reshape(1)
    return array.reshape(-1) if array.ndim > 1 and random.random() < 0.5 else np.concatenate([array, array])


def _some_replaced(array: Array, random: np.random.Generator, values: Array) -> Array:
    """`values` cast to the array's type, in the place of some, most or all of it."""
    flat = array.reshape(-1).copy()
    chosen = random.random(flat.size) < random.choice([0.01, 0.3, 1.0])
    if flat.size:
        chosen[random.integers(flat.size)] = True
    with np.errstate(all="ignore"):
        flat[chosen] = np.broadcast_to(values, flat.shape).astype(flat.dtype)[chosen]
    return flat.reshape(array.shape)


def _anything(array: Array, random: np.random.Generator) -> Array:
    return _some_replaced(array, random, random.normal(size=array.size) * 10.0 ** random.integers(-3, 30))


def _no_numbers(array: Array, random: np.random.Generator) -> Array:
    return _some_replaced(array, random, np.array(random.choice([np.nan, np.inf, -np.inf])))


def _too_high(array: Array, random: np.random.Generator) -> Array:
    return _some_replaced(array, random, np.array(random.choice([16, 200, 65_535, 2**31 - 1])))


def _negative(array: Array, random: np.random.Generator) -> Array:
    return _some_replaced(array, random, np.array(-random.choice([1, 2, 100, 2**31])))


def _turned(array: Array, random: np.random.Generator) -> Array:
    return np.ascontiguousarray(array.T if array.ndim > 1 else array[::-1] if array.ndim else array)


def _cut(array: Array, random: np.random.Generator) -> Array:
    return array[: max(len(array) - int(random.integers(1, 5)), 0)] if array.ndim else array


def _all_alike(array: Array, random: np.random.Generator) -> Array:
    return np.full_like(array, array.reshape(-1)[random.integers(array.size)]) if array.size else array


_MUTATIONS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "another type": _of_another_type,
    "another shape": _flat_or_twice,
    "anything": _anything,
    "no numbers": _no_numbers,
    "too high": _too_high,
    "negative": _negative,
    "turned": _turned,
    "cut": _cut,
    "all alike": _all_alike,
    "empty": lambda array, _: array[:0] if array.ndim else np.zeros(0, array.dtype),
    "huge": lambda array, _: np.concatenate([array] * 50) if array.ndim else array,
    "one number": lambda array, _: np.array(array.reshape(-1)[0] if array.size else 0),
    "by columns": lambda array, _: np.asfortranarray(array),
    "other bytes first": lambda array, _: array.astype(array.dtype.newbyteorder()),
}
