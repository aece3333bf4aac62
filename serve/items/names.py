"""Names of the catalogue, for whoever types the beginning of one."""

from __future__ import annotations

from serve.bundles.loaded import LoadedBundle
from serve.bundles.names import Names
from serve.items.answers import CatalogueName, NamesResponse


def found_names(loaded: LoadedBundle, names: Names, query: str | None, limit: int) -> NamesResponse:
    """Up to `limit` of the names that match, and how many do."""
    found = names.find(query)
    shown = [CatalogueName(one.name, one.items) for one in found[:limit]]
    return NamesResponse(bundle=loaded.info, names=shown, total=len(found))
