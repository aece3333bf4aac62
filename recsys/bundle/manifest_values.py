"""What each value of a manifest may be. What they must be together says `recsys.bundle.manifest_checks`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from recsys.core.attributes import NAME_PATTERN
from recsys.core.stored_arrays import LARGEST

_FEW = 100_000

BundleName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z", max_length=200)]
"""Of a bundle, a dataset or a version, each of which is the name of a folder."""

SourceName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z", max_length=100)]
AttributeName = Annotated[str, Meta(pattern=NAME_PATTERN)]
Text = Annotated[str, Meta(max_length=1000)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Share = Annotated[float, Meta(ge=0, le=1)]
Difference = Annotated[float, Meta(ge=0, le=LARGEST)]
LogOdds = Annotated[float, Meta(ge=-100, le=100)]
Depth = Annotated[int, Meta(ge=1, le=_FEW)]
"""How many candidates a query has: their features are held in memory."""

Items = Annotated[int, Meta(ge=1, le=2**31 - 2)]
Epoch = Annotated[int, Meta(ge=0, le=10**9)]
Bytes = Annotated[int, Meta(ge=0, le=2**50)]
