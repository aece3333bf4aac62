"""Small JSON files of a bundle, read as the structs that say what they must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from recsys.core.errors import BundleError
from recsys.core.small_files import MOST_BYTES, read_small_file
from recsys.core.stored_arrays import LARGEST, REMEDY

Share = Annotated[float, Meta(gt=0, le=1)]
Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Weight = Annotated[float, Meta(ge=0, le=LARGEST)]
Positive = Annotated[float, Meta(gt=0, le=LARGEST)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 2)]
"""As many as int32 numbers, with one to spare for `NO_ITEM` or an out-of-vocabulary row."""


class Parameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a part of a bundle notes beside its arrays."""


Kind = TypeVar("Kind", bound=Parameters)


def read_parameters(path: Path, kind: type[Kind], most: int = MOST_BYTES) -> Kind:
    """Read a file of JSON, of at most so many bytes.

    Raises:
        BundleError: no such file, no JSON, or a field that is missing, unknown, of another type or out of bounds.
    """
    try:
        return msgspec.json.decode(read_small_file(path, most), type=kind)
    except (OSError, ValueError, RecursionError) as error:  # msgspec's are ValueErrors
        raise BundleError(f"the fields {', '.join(kind.__struct_fields__)} in {path}", str(error), REMEDY) from error


def write_parameters(path: Path, parameters: Parameters) -> None:
    """Write what `read_parameters` reads."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(parameters), indent=1) + b"\n")
