"""What is answered about the server itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from recsys.histories.reading import StoreState
from serve.answers import Answer
from serve.auth import Right
from serve.bundles.held import HeldState
from serve.bundles.info import BundleInfo
from serve.key_watch import KeysState
from serve.live_items.in_force import LiveItemsState
from serve.persons.known import PersonsState
from serve.shop_rules.in_force import RulesState
from serve.variants.in_force import ExperimentsState


class HealthResponse(Answer):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ReadyResponse(Answer, kw_only=True):
    """A bundle is loaded."""

    status: Literal["ready"] = "ready"
    bundle: BundleInfo
    store: Annotated[StoreState, Meta(description="Recommendations need none.", examples=["live"])]
    rules: Annotated[
        RulesState,
        Meta(
            description="Of the shop. live: as the store has them; stale: the last ones known, the store does not "
            "answer; unread: those of the store are not known yet, and lists go without them; given: those of the "
            "settings, there is no store.",
            examples=["live"],
        ),
    ]
    live_items: Annotated[
        LiveItemsState,
        Meta(
            description="What the shop says of its items. live: as the store has it; stale: as it was last known, the "
            "store does not answer; unread: it is not known yet; off: there is no store.",
            examples=["live"],
        ),
    ]
    persons: Annotated[
        PersonsState,
        Meta(
            description="Who was forgotten or merged. live: as the store has it; stale: as it was known last, or by "
            "the copy, the store does not answer; unread: nothing is known of it yet; off: there is no store.",
            examples=["live"],
        ),
    ]
    experiments: Annotated[
        ExperimentsState,
        Meta(
            description="live: those of the store; stale: the last ones known go on, the store does not answer; "
            "unread: they are not known yet, and lists go without them; off: there is no store.",
            examples=["live"],
        ),
    ]


class IndexResponse(Answer):
    """Where to find what."""

    name: Annotated[str, Meta(examples=["Recommendations"])]
    version: Annotated[str, Meta(examples=["0.1.0"])]
    docs: Annotated[str, Meta(examples=["/docs"])]
    ui: Annotated[str | None, Meta(description="The page for people; null: `ui` is off.", examples=["/ui/"])]
    recommendations: Annotated[str, Meta(examples=["/recommendations/{user_id}"])]
    health: Annotated[str, Meta(examples=["/health"])]
    ready: Annotated[str, Meta(examples=["/ready"])]


class Calibration(Answer):
    """confidence = 1 / (1 + exp(-(scale * score + offset)))."""

    scale: Annotated[float, Meta(examples=[1.0])]
    offset: Annotated[float, Meta(examples=[0.0])]
    fitted: Annotated[bool, Meta(description="The bundle gives these numbers; false: 1 and 0.", examples=[False])]


class ModelRow(Answer):
    """A model that recommendations can be asked of."""

    name: Annotated[str, Meta(examples=["full"])]
    kind: Annotated[
        str,
        Meta(description="pipeline, two_tower, item_to_item, factors, popularity or hybrid.", examples=["pipeline"]),
    ]
    proposes: Annotated[bool, Meta(description="Proposes candidates to the full pipeline.", examples=[True])]
    weights: Annotated[dict[str, float] | None, Meta(description="Of a hybrid's members.", examples=[None])]
    confidence: Annotated[Calibration | None, Meta(description="null: a share of all interactions.")]


class ModelsResponse(Answer):
    """What can be asked for."""

    bundle: BundleInfo
    default: Annotated[str, Meta(examples=["full"])]
    models: list[ModelRow]
    metrics: Annotated[
        dict[str, Any], Meta(description="Measured when the bundle was made.", examples=[{"recall@100": 0.99}])
    ]


class StoreStatistics(Answer):
    """Size of the store."""

    events: Annotated[int, Meta(examples=[120])]
    users: Annotated[int, Meta(examples=[14])]
    items: Annotated[int, Meta(description="That search finds.", examples=[12101])]
    last_event_at: Annotated[str | None, Meta(examples=["2024-05-01T11:59:58Z"])]


Milliseconds = Annotated[float | None, Meta(description="null: nothing was measured yet.", examples=[3.2])]


class StageTimes(Answer):
    """How long a stage of making lists takes. Percentiles are read off a histogram: they lie within a bucket."""

    stage: Annotated[
        str,
        Meta(
            description="store: reading events; query_tower and ann: the two-tower; ranking: all that follows.",
            examples=["ranking"],
        ),
    ]
    count: Annotated[int, Meta(description="Batches of lists made together.", examples=[1204])]
    mean_ms: Milliseconds
    p50_ms: Milliseconds
    p95_ms: Milliseconds
    p99_ms: Milliseconds


class ServingWorkers(Answer):
    """How many workers answer from a bundle."""

    name: Annotated[str, Meta(examples=["beauty"])]
    version: Annotated[str, Meta(examples=["20250102T030405Z-1a2b3c4d"])]
    workers: Annotated[int, Meta(examples=[2])]


class HeldVersion(Answer):
    """A version of the bundle that variants of running experiments name."""

    version: Annotated[str, Meta(examples=["20250102T030405Z-1a2b3c4d"])]
    state: Annotated[
        HeldState,
        Meta(
            description="served: it is the one that is served, too; held: it is loaded beside that one; loading: not "
            "yet; refused: it cannot be loaded, which is tried again.",
            examples=["held"],
        ),
    ]
    fault: Annotated[str | None, Meta(description="Why it is refused.", examples=[None])]


class StatsResponse(Answer):
    """Sizes and times."""

    bundle: BundleInfo
    items: Annotated[int, Meta(description="Of the bundle.", examples=[12101])]
    users: Annotated[int, Meta(description="Of the bundle.", examples=[22363])]
    interactions: Annotated[int, Meta(description="Of the bundle.", examples=[198502])]
    store: Annotated[StoreState, Meta(examples=["live"])]
    store_statistics: Annotated[
        StoreStatistics | None, Meta(description="null where there is no store or it does not answer.")
    ]
    uptime_s: Annotated[float, Meta(description="Of this worker.", examples=[3600.0])]
    workers: Annotated[int, Meta(description="Of the settings.", examples=[2])]
    serving: Annotated[
        list[ServingWorkers],
        Meta(description="Workers that live, by what they answer from; several rows while a bundle comes."),
    ]
    held: Annotated[
        list[HeldVersion],
        Meta(
            description="Versions that variants are made from, in this worker; lists go without one that is not there."
        ),
    ]
    stages: Annotated[list[StageTimes], Meta(description="Of all workers since the start of the server.")]


class ConfigResponse(Answer):
    """The settings in use; nothing secret."""

    settings: Annotated[dict[str, Any], Meta(examples=[{"port": 8000}])]


class KeyResponse(Answer):
    """What the caller may do."""

    keys: Annotated[bool, Meta(description="Keys are asked for; false: everything is open.", examples=[True])]
    name: Annotated[
        str | None,
        Meta(description="Of the key that came; null: none that opens anything, or none is needed.", examples=["shop"]),
    ]
    scopes: Annotated[
        list[Right], Meta(description="What can be asked for: read, write, catalogue, admin.", examples=[["read"]])
    ]


class ReloadResponse(Answer):
    """The bundle was loaded anew by this worker; the others follow as soon as they look for a new version."""

    bundle: BundleInfo
    keys: Annotated[
        KeysState,
        Meta(
            description="API keys. stale: their file cannot be used, those from before are in force.", examples=["off"]
        ),
    ]
    before: Annotated[BundleInfo | None, Meta(description="The bundle served until then; null if there was none.")]
