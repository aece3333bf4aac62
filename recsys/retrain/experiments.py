"""Which versions experiments need: those are not removed while an experiment may still deliver them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from recsys.store import Store


def in_experiments(store: Store | None, versions: Sequence[str]) -> set[str]:
    """Those of the versions that an experiment names which is not stopped.

    Args:
        store: that keeps the experiments; None: there are none.
        versions: names of them. They hold a time and a hash, so that no other text of an experiment looks like one.

    Raises:
        StoreUnavailable: it does not answer.
    """
    if store is None:
        return set()
    bodies = [text.body for text in store.experiments.read().texts]
    wanted = [body for body in bodies if json.loads(body).get("status") != "stopped"]
    return {version for version in versions if any(version in body for body in wanted)}
