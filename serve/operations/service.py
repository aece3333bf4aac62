"""What the server says of itself."""

from __future__ import annotations

import time
from collections.abc import Collection

from recsys.bundle.layout import FULL
from recsys.bundle.manifest import as_json
from recsys.store import StoreUnavailable
from serve.auth import RIGHTS, Right, rights_of
from serve.bundles.loaded import LoadedBundle
from serve.operations.answers import (
    Calibration,
    HeldVersion,
    KeyResponse,
    ModelRow,
    ModelsResponse,
    StatsResponse,
    StoreStatistics,
)
from serve.operations.stages import serving_workers, stage_times
from serve.parts import Parts
from serve.times import time_text


def models(loaded: LoadedBundle) -> ModelsResponse:
    """The full pipeline and every source of the bundle."""
    return ModelsResponse(
        bundle=loaded.info,
        default=FULL,
        models=[_model(loaded, name) for name in loaded.models],
        metrics=as_json(loaded.bundle.manifest.metrics),
    )


def key(parts: Parts, name: str | None, scopes: Collection[Right]) -> KeyResponse:
    """What the caller may do, by the name and the scopes of the key that came."""
    if parts.keys is None:
        return KeyResponse(keys=False, name=None, scopes=list(RIGHTS))
    return KeyResponse(keys=True, name=name, scopes=rights_of(scopes))


def stats(loaded: LoadedBundle, parts: Parts) -> StatsResponse:
    """Sizes of the bundle and the store, and how long lists take."""
    bundle, counts = loaded.bundle, parts.metrics.collected()
    counted, state = None, parts.store_state
    if parts.link is not None:
        try:
            sizes = parts.link.queries.stats()
        except StoreUnavailable:
            state = "unavailable"
        else:
            counted = StoreStatistics(
                events=sizes.events,
                users=sizes.users,
                items=sizes.items,
                last_event_at=time_text(sizes.last_event),
            )
    return StatsResponse(
        bundle=loaded.info,
        items=bundle.n_items,
        users=bundle.catalogue.n_users,
        interactions=len(bundle.histories.items),
        store=state,
        store_statistics=counted,
        uptime_s=round(time.time() - parts.started, 3),
        workers=parts.settings.workers,
        serving=serving_workers(counts),
        held=[
            HeldVersion(version=version, state=state, fault=fault)
            for version, (state, fault) in parts.held.states().items()
        ],
        stages=stage_times(counts),
    )


def _model(loaded: LoadedBundle, name: str) -> ModelRow:
    manifest, recommender = loaded.bundle.manifest, loaded.recommender
    kinds = {FULL: "pipeline", recommender.primary.name: "two_tower", **manifest.sources}
    scale, offset = loaded.calibration(name)
    return ModelRow(
        name=name,
        kind=kinds.get(name, "hybrid"),
        proposes=name in recommender.sources,
        weights=manifest.hybrids.get(name),
        confidence=None
        if kinds.get(name) == "popularity" and name == recommender.popularity.name
        else Calibration(scale=scale, offset=offset, fitted=loaded.calibrated(name)),
    )
