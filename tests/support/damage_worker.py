"""Run as a process of its own: for each version named on standard input, load it as a server does and make lists.

Answers with a line of JSON each: `refused` and the message, or `served` and what is wrong with the lists.
"""

import json
import sys
from pathlib import Path

import numpy as np

from recsys.core.errors import BundleError
from recsys.core.queries import NO_ITEM, Queries
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.recommendations.lists import lists
from serve.recommendations.warm_up import warm_up
from serve.settings import Settings

NOW = 1_700_000_000


def faults(loaded: LoadedBundle) -> list[str]:
    """What is wrong with the lists of every user and of nobody, by every model."""
    users = np.arange(NO_ITEM, len(loaded.bundle.histories), dtype=np.int32)
    queries = Queries(loaded.bundle.histories.select(users), users, np.full(len(users), NOW, np.int64))
    wrong = set()
    for model in loaded.models:
        for unseen in (True, False):
            _, made = lists(loaded, queries, Options(model=model, k=20, exclude_seen=unseen))
            listed = made.items != NO_ITEM
            if (made.items >= loaded.bundle.n_items).any() or (made.items < NO_ITEM).any():
                wrong.add(f"{model}: items beyond the catalogue")
            if not np.isfinite(made.scores[listed]).all():
                wrong.add(f"{model}: scores that are no numbers")
            for row in made.items:
                if len(np.unique(row[row != NO_ITEM])) < (row != NO_ITEM).sum():
                    wrong.add(f"{model}: an item twice")
    return sorted(wrong)


def main() -> None:
    for line in sys.stdin:
        path = Path(line.strip())
        try:
            loaded = LoadedBundle.open(path, Settings(bundle=path, store="none"), warm_up)
            answer: dict[str, object] = {"served": faults(loaded)}
        except BundleError as error:
            answer = {"refused": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
