"""What was found of a drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Band = Literal["stable", "watch", "alert", "unknown"]
_ORDER: Final[tuple[Band, ...]] = ("unknown", "stable", "watch", "alert")


@dataclass(frozen=True)
class Measure:
    """One figure.

    Attributes:
        name: of the figure.
        value: now; None: it could not be measured.
        before: the same of the time before, where it means something there.
        distance: what the bands are of: the value itself, or how far it lies from that of before.
        watch, alert: distances from which on it is in these bands.
        band: which one it is in; unknown: it could not be measured.
        says: all of that in a sentence.
    """

    name: str
    value: float | None
    before: float | None
    distance: float | None
    watch: float
    alert: float
    band: Band
    says: str

    @classmethod
    def of(
        cls,
        name: str,
        value: float,
        distance: float,
        bands: tuple[float, float],
        says: Callable[[float], str],
        before: float | None = None,
    ) -> Measure:
        """A measured figure; `says` makes a clause of the value."""
        watch, alert = bands
        band: Band = "alert" if distance >= alert else "watch" if distance >= watch else "stable"
        text = f"{says(value)}: {band} (watch from {watch:g}, alert from {alert:g})."
        return cls(name, value, before, distance, watch, alert, band, text)

    @classmethod
    def unknown(cls, name: str, bands: tuple[float, float], why: str) -> Measure:
        """A figure that could not be measured; `why` is a sentence."""
        return cls(name, None, None, None, *bands, "unknown", why)


@dataclass(frozen=True)
class DriftReport:
    """Figures of now beside those of the time that a bundle was trained on.

    Attributes:
        bundle: name and version of the bundle.
        read: where what people do now was read from: the store, the prepared dataset, or nothing.
        says: what was compared, or why nothing was, in a sentence.
        since, until: the time of now, in seconds since 1970.
        before_since: where the time before begins, which ends with the bundle's last interaction: as long, or longer
            where it would have fewer interactions than are needed.
        interactions, before_interactions: in both.
        measures: the figures.
        refusals: why no new bundle should be published, in sentences; empty: nothing speaks against it.
    """

    bundle: str
    read: Literal["store", "dataset", "nothing"]
    says: str
    since: float
    until: float
    before_since: float
    interactions: int
    before_interactions: int
    measures: tuple[Measure, ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def worst(self) -> Band:
        """The worst band of all figures; unknown: none was measured."""
        return max((one.band for one in self.measures), key=_ORDER.index, default="unknown")

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers, with the worst band."""
        return {"worst": self.worst, **asdict(self)}
