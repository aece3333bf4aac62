"""The server itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from serve.http.schemas import Answer, BundleInfo
from serve.store.link import StoreState


class HealthResponse(Answer):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ReadyResponse(Answer):
    """A bundle is loaded."""

    status: Literal["ready"] = "ready"
    bundle: BundleInfo
    store: StoreState = Field(description="Recommendations need none.", examples=["live"])


class IndexResponse(Answer):
    """Where to find what."""

    name: str = Field(examples=["Recommendations"])
    version: str = Field(examples=["0.1.0"])
    docs: str = Field(examples=["/docs"])
    recommendations: str = Field(examples=["/recommendations/{user_id}"])
    health: str = Field(examples=["/health"])
    ready: str = Field(examples=["/ready"])


class Calibration(Answer):
    """confidence = 1 / (1 + exp(-(scale * score + offset)))."""

    scale: float = Field(examples=[1.0])
    offset: float = Field(examples=[0.0])
    fitted: bool = Field(description="The bundle gives these numbers; false: 1 and 0.", examples=[False])


class ModelRow(Answer):
    """A model that recommendations can be asked of."""

    name: str = Field(examples=["full"])
    kind: str = Field(
        description="pipeline, two_tower, item_to_item, factors, popularity or hybrid.", examples=["pipeline"]
    )
    proposes: bool = Field(description="Proposes candidates to the full pipeline.", examples=[True])
    weights: dict[str, float] | None = Field(description="Of a hybrid's members.", examples=[None])
    confidence: Calibration | None = Field(description="null: a share of all interactions.")


class ModelsResponse(Answer):
    """What can be asked for."""

    bundle: BundleInfo
    default: str = Field(examples=["full"])
    models: list[ModelRow]
    metrics: dict[str, Any] = Field(description="Measured when the bundle was made.", examples=[{"recall@100": 0.99}])


class StoreStatistics(Answer):
    """Size of the store."""

    events: int = Field(examples=[120])
    users: int = Field(examples=[14])
    items: int = Field(description="That search finds.", examples=[12101])
    last_event_at: str | None = Field(examples=["2024-05-01T11:59:58Z"])


class StatsResponse(Answer):
    """Sizes."""

    bundle: BundleInfo
    items: int = Field(description="Of the bundle.", examples=[12101])
    users: int = Field(description="Of the bundle.", examples=[22363])
    interactions: int = Field(description="Of the bundle.", examples=[198502])
    store: StoreState = Field(examples=["live"])
    store_statistics: StoreStatistics | None = Field(description="null where there is no store or it does not answer.")
    uptime_s: float = Field(description="Of this worker.", examples=[3600.0])
    workers: int = Field(examples=[2])


class ConfigResponse(Answer):
    """The settings in use; nothing secret."""

    settings: dict[str, Any] = Field(examples=[{"port": 8000}])


class ReloadResponse(Answer):
    """The bundle was loaded anew by this worker; the others follow as soon as they look for a new version."""

    bundle: BundleInfo
    before: BundleInfo | None = Field(description="The bundle served until then; null if there was none.")
