"""Rows of one product: variants and pictures in rows of their own, most of whose fields only the first row has."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final

from recsys.prepare import columns as c
from recsys.prepare.formats.catalogue.paths import Steps, value_at

_SHARED: Final = (c.TITLE, c.BRAND, c.CATEGORIES, c.DESCRIPTION, c.IMAGE)


class Groups:
    """What the rows of one product share: of each text the first that a row has, for later rows that have none."""

    def __init__(self, steps: Steps) -> None:
        """`steps`: to what says which product a row is of; a row without it is the product that its id names."""
        self._steps = steps
        self._known: dict[Hashable, dict[str, Any]] = {}

    def complete(self, row: Mapping[str, Any], item_id: str | None, fields: dict[str, Any]) -> bool:
        """Add to the fields of a row those of its product; returns whether the row says which product it is of."""
        value = value_at(row, self._steps)
        group = str(value).strip() if isinstance(value, str | int) else ""
        if not (group or item_id):
            return False
        known = self._known.setdefault(group or item_id, {})
        for name in _SHARED:
            if fields.get(name):
                known.setdefault(name, fields[name])
            elif name in known:
                fields[name] = known[name]
        return bool(group)
