"""Other versions of the bundle, held beside the one that is served: variants of lists are made from them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.bundle import Bundle
from recsys.bundle.layout import FULL, MANIFEST_FILE
from recsys.core.errors import BundleError, RecsysError
from recsys.experiments.experiment import Overrides
from serve.bundles.loaded import LoadedBundle
from serve.bundles.swap import CLOSING_S, RETRY_S, Bundles
from serve.bundles.watch import Troubles, damage
from serve.metrics import Metrics
from serve.settings import Settings

logger = logging.getLogger(__name__)

POLL_S = 0.5
FAILURE = "The look for versions to hold failed; there will be others, and this is not logged again"

HeldState = Literal["served", "held", "loading", "refused"]
"""served: it is the version that is served, too; held: lists can be made from it; loading: not yet; refused: it could
not be loaded, which is tried again after some time."""


@dataclass(frozen=True)
class Refusal:
    """Why a version could not be loaded, and when that is tried again, by `time.monotonic`."""

    fault: str
    retry_at: float


class HeldBundles:
    """Holds every version that somebody names, as long as that is so; for any number of threads.

    A thread of its own loads what is named and lets go what no longer is. A held version is loaded, warmed up and seen
    with live items as the served one is, and it is open, so that no training removes it. The version that is served is
    not loaded twice, and stays if another one is served. No list waits for a version: it is there, or it is not.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        bundles: Bundles,
        named: Callable[[], Collection[str]],
        warm_up: Callable[[LoadedBundle], None] = lambda _: None,
        overlay: Callable[[LoadedBundle], LoadedBundle] = lambda base: base,
    ) -> None:
        """Nothing is loaded before `start`.

        Args:
            settings, metrics, warm_up, overlay: as of `Bundles`.
            bundles: knows the one that is served.
            named: gives the versions to hold.
        """
        self._settings, self._metrics, self._bundles, self._named = settings, metrics, bundles, named
        self._warm_up, self._overlay = warm_up, overlay
        self._held: Mapping[str, LoadedBundle] = {}  # replaced as a whole
        self._refused: dict[str, Refusal] = {}
        self._changing = threading.Lock()
        self._troubles = Troubles()
        self._closing = threading.Event()
        self._has_begun = False
        self._thread = threading.Thread(target=self._run, name="held-bundles", daemon=True)

    def of(self, version: str) -> LoadedBundle | None:
        """What lists of a version are made from; None: it is not there (yet)."""
        served = self._bundles.served
        return served if served is not None and served.info.version == version else self._held.get(version)

    @property
    def in_use(self) -> list[LoadedBundle]:
        """The bundles that lists are made from, without live items: the served one first, then the held ones."""
        found = [*([] if (base := self._bundles.base) is None else [base]), *(one.base for one in self._held.values())]
        return list(dict.fromkeys(found))

    @property
    def answering(self) -> set[LoadedBundle]:
        """All bundles that lists are made from, with live items where there are some."""
        return {one for one in (self._bundles.served, *self._held.values()) if one is not None}

    def has_overlay(self, base: LoadedBundle) -> bool:
        """Whether lists are made from an overlay of a bundle."""
        return any(one.base is base and one is not base for one in self.answering)

    def replace(self, overlay: LoadedBundle) -> bool:
        """Make lists from an overlay from now on, if the bundle below is still in use; returns whether."""
        served = self._bundles.replace(overlay)
        with self._changing:
            changed = {version: overlay for version, one in self._held.items() if one.base is overlay.base}
            self._held = {**self._held, **changed}
        return served or bool(changed)

    def states(self) -> dict[str, tuple[HeldState, str | None]]:
        """Of each version that is named, how it stands with it, and why if it was refused."""
        held, served = self._held, self._bundles.info
        states: dict[str, tuple[HeldState, str | None]] = {}
        for version in sorted(self._named()):
            refusal = self._refused.get(version)
            if served is not None and served.version == version:
                states[version] = "served", None
            elif version in held:
                states[version] = "held", None
            else:
                states[version] = ("loading", None) if refusal is None else ("refused", refusal.fault)
        return states

    def fault_of(self, overrides: Overrides) -> str | None:
        """Why lists cannot be made as overrides want them, by what can be seen without loading; None: they can.

        Raises:
            NotReadyError: no bundle is served.
        """
        served = self._bundles.loaded
        bundle = served.bundle
        if overrides.bundle not in (None, served.info.version):
            try:
                bundle = self._looked_at(str(overrides.bundle))
            except RecsysError as error:
                return f"{error.got} in the place of {error.expected}"
        models = (FULL, *bundle.sources)
        if overrides.model is not None and overrides.model not in models:
            return f"model: expected one of {', '.join(models)} (got {overrides.model!r})"
        return None

    def start(self) -> None:
        """Begin to look for what is named."""
        self._thread.start()

    def begin(self, about_to_be_served: LoadedBundle) -> None:
        """Load what is named, before the first bundle is served; later calls do nothing.

        A server that has been started again makes the lists of experiments from its first answer on.
        """
        if self._has_begun:  # loading a version warms it up, which comes here again
            return
        self._has_begun = True
        with self._troubles.survived(FAILURE, self._metrics.bundle_watch_failed):
            for version in sorted(frozenset(self._named()) - {about_to_be_served.info.version}):
                if not self._closing.is_set():
                    self._load(version)

    def close(self) -> None:
        """Stop looking. A version that is being loaded is not waited for long."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(CLOSING_S)

    def _run(self) -> None:
        while not self._closing.wait(POLL_S):
            with self._troubles.survived(FAILURE, self._metrics.bundle_watch_failed):
                self._look()

    def _look(self) -> None:
        """Let go what nobody names, and load what is missing."""
        named = frozenset(self._named())
        if self._bundles.served is None or not (named or self._held or self._refused):
            return
        self._keep(named)
        for version in sorted(named - self._held.keys()):
            refusal = self._refused.get(version)
            if not self._closing.is_set() and (refusal is None or time.monotonic() >= refusal.retry_at):
                self._load(version)

    def _keep(self, named: Collection[str]) -> None:
        """Hold those that are still named; the served one among them, for when another one is served."""
        with self._changing:
            before = self._held
            kept = {version: one for version, one in before.items() if version in named}
            served = self._bundles.served  # read here, or an overlay that was just replaced might be kept
            if served is not None and served.info.version in named:
                kept[served.info.version] = served
            faults = {version: damage(one.bundle) for version, one in kept.items() if one is not served}
            self._held = {version: one for version, one in kept.items() if faults.get(version) is None}
        for version, fault in faults.items():
            if fault is not None:
                self._refuse(version, fault)
        self._refused = {version: refusal for version, refusal in self._refused.items() if version in named}
        for version in before.keys() - self._held.keys():
            self._metrics.variants.holding(version, yes=False)
            logger.info("Version %s is held no longer", version)
        for version in self._held.keys() - before.keys():
            self._metrics.variants.holding(version, yes=True)

    def _load(self, version: str) -> None:
        started = time.perf_counter()
        try:
            loaded = LoadedBundle.open(self._path(version), self._settings, self._warm_up)
            _require_version(loaded.info.version, version)
        except RecsysError as error:
            self._refuse(version, str(error))
            return
        loaded = self._with_live_items(loaded)
        if self._closing.is_set():
            return
        with self._changing:
            self._held = {**self._held, version: loaded}
        self._refused.pop(version, None)
        self._metrics.variants.holding(version, yes=True)
        logger.info("Version %s is held, loaded in %.1f s", version, time.perf_counter() - started)

    def _with_live_items(self, loaded: LoadedBundle) -> LoadedBundle:
        try:
            return self._overlay(loaded)
        except Exception:  # as of the bundle that is served
            logger.exception("Live items are not seen over %s", loaded.bundle.path)
            return loaded

    def _refuse(self, version: str, fault: str) -> None:
        known = self._refused.get(version)
        self._refused[version] = Refusal(fault, time.monotonic() + RETRY_S)
        self._metrics.variants.held_bundle_refused()
        if known is None or known.fault != fault:
            logger.error("Version %s cannot be held; lists go without it, and it is tried again. %s", version, fault)

    def _looked_at(self, version: str) -> Bundle:
        """A version, of which little is read.

        Raises:
            BundleError: it is not there, cannot be opened, or is another one than its folder says.
        """
        path = self._path(version)
        try:
            bundle = Bundle(path, verify="quick")
        except OSError as error:
            got = f"nothing that can be read ({error.strerror})"
            raise BundleError(f"a version {version!r} of the bundle", got, "name one that is there") from None
        _require_version(bundle.manifest.version, version)
        return bundle

    def _path(self, version: str) -> Path:
        """The folder of a version, beside the one that is served.

        Raises:
            BundleError: that is no name of a folder.
        """
        if Path(version).name != version or version.startswith(".") or not version.isprintable():
            raise BundleError("the version of a bundle", repr(version[:60]), "name a folder beside the served version")
        path = self._settings.bundle
        return (path.parent if (path / MANIFEST_FILE).is_file() else path) / version


def _require_version(found: str, version: str) -> None:
    """Stop where a folder holds another version than its name says.

    Raises:
        BundleError: it does.
    """
    if found != version:
        raise BundleError(f"version {version} in the folder of that name", found, "rename it")
