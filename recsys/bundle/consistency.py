"""Do the parts of a bundle fit together? Each is sound by itself, or it could not have been read."""

from __future__ import annotations

from dataclasses import asdict

from recsys.bundle import layout
from recsys.bundle.manifest import as_json
from recsys.bundle.reader import Bundle
from recsys.core.errors import BundleError


def require_consistent(bundle: Bundle) -> None:
    """Load every part, those that no list needs yet included, and refuse parts of different models or datasets.

    Raises:
        BundleError: a part is not sound, or does not fit the others; the message names it.
    """
    histories, predictor = bundle.histories, bundle.rating_predictor
    _ = bundle.attributes  # refuses columns of another length than the catalogue
    counts = {
        "manifest.json": bundle.manifest.dataset.n_items,
        "item_embeddings.npy": bundle.n_items,
        layout.CATALOGUE_FILE: bundle.catalogue.n_items,
        layout.CYCLES_FILE: len(bundle.cycles),
        **{f"{layout.RETRIEVERS_FOLDER}/{name}": bundle.source(name).n_items for name in bundle.sources},
    }
    if bundle.ranker is not None:
        sizes = {name: group.n_items for name, group in bundle.ranker.features.groups.items()}
        counts |= {f"{layout.FEATURES_FOLDER}/{name}": size for name, size in sizes.items() if size is not None}
    if predictor is not None:
        counts["ratings/"] = len(predictor.statistics.item_counts)
        counts[f"ratings/{layout.ITEM_PARTS_FILE}"] = len(predictor.item_parts)
    _require_same("items", counts)
    users = {"manifest.json": bundle.manifest.dataset.n_users, layout.CATALOGUE_FILE: bundle.catalogue.n_users}
    profiles = bundle.two_tower().profiles
    if profiles is not None:
        users["user_profiles.npy"] = len(profiles.profiles.rows)
    _require_same("users", {**users, layout.HISTORIES_FOLDER: len(histories)})
    searched = asdict(bundle.two_tower().index.parameters)
    if searched != (described := as_json(bundle.manifest.index)):
        raise misfit(f"an index as manifest.json describes it: {described}", str(searched))
    _ = bundle.item_encoder  # its graphs, which take time and memory, are tried when the bundle is written
    for name in bundle.sources:
        if fault := bundle.source(name).fault():
            raise misfit(f"a source {name} whose parts fit together", fault)


def misfit(expected: str, got: str) -> BundleError:
    """Parts that do not fit together."""
    return BundleError(expected, got, "export all parts of the bundle from one model and one prepared dataset")


def _require_same(what: str, counts: dict[str, int]) -> None:
    if len(set(counts.values())) > 1:
        raise misfit(f"as many {what} in every part", ", ".join(f"{n} in {part}" for part, n in counts.items()))
