"""Which bundle answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from serve.answers import Answer


class BundleInfo(Answer):
    """The bundle that answers."""

    name: Annotated[str, Meta(description="Name of the dataset and its bundles.", examples=["beauty"])]
    version: Annotated[
        str, Meta(description="Version of the bundle that answered.", examples=["20250102T030405Z-1a2b3c4d"])
    ]
    synthetic: Annotated[
        bool, Meta(description="The catalogue and the users are generated, not real.", examples=[False])
    ]
