"""Which bundle is served: a new one replaces the old one once it has been checked, or is refused."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from pathlib import Path

from recsys.bundle.layout import MANIFEST_FILE
from recsys.bundle.reader import current_version
from recsys.bundle.versions import Versions
from recsys.core.errors import BundleError, RecsysError
from serve.bundles.info import BundleInfo
from serve.bundles.loaded import LoadedBundle
from serve.bundles.progress import Progress
from serve.bundles.watch import Signature, Troubles, damage, signature
from serve.errors import NotReadyError
from serve.metrics import Metrics
from serve.settings import Settings

logger = logging.getLogger(__name__)

ATTEMPTS = 5
CLOSING_S = 2.0
RETRY_S = 30.0


class Bundles:
    """Holds the bundle that is served; loads it and others in a thread of its own while requests go on.

    Attributes:
        progress: what is being done with a bundle, or why none is served.
        first: done once a bundle is served or all there are were refused; its result is the error then.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        warm_up: Callable[[LoadedBundle], None] = lambda _: None,
        on_change: Callable[[LoadedBundle], None] = lambda _: None,
        overlay: Callable[[LoadedBundle], LoadedBundle] = lambda base: base,
    ) -> None:
        """Nothing is loaded before `start`.

        Args:
            settings: of the server.
            metrics: are told what is served and what was refused.
            warm_up: called with every bundle before it is served; raises a `BundleError` where it must not be.
            on_change: called with every bundle that is served from then on.
            overlay: gives for every bundle, before it is served, the one to answer from: with live items over it.
        """
        self._settings, self._metrics = settings, metrics
        self._warm_up, self._on_change, self._overlay = warm_up, on_change, overlay
        self._loaded: LoadedBundle | None = None
        self._swapping = threading.Lock()
        self.progress = Progress("loading the bundle")
        self.first: Future[RecsysError | None] = Future()
        self._seen: Signature | None = None
        self._damage: str | None = None
        self._retry_at = math.inf
        self._troubles = Troubles()
        self._loading = threading.Lock()
        self._wanted, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="bundles", daemon=True)

    @property
    def loaded(self) -> LoadedBundle:
        """The bundle to answer from.

        Raises:
            NotReadyError: none is loaded.
        """
        if self._loaded is None:
            raise NotReadyError(str(self.progress), self.progress.in_general)
        return self._loaded

    @property
    def served(self) -> LoadedBundle | None:
        """The bundle to answer from; None: there is none."""
        return self._loaded

    @property
    def info(self) -> BundleInfo | None:
        """What answers say of the bundle served; None: there is none."""
        return None if self._loaded is None else self._loaded.info

    @property
    def base(self) -> LoadedBundle | None:
        """The bundle that is served, without live items over it; None: there is none."""
        return None if self._loaded is None else self._loaded.base

    def replace(self, overlay: LoadedBundle) -> bool:
        """Answer from an overlay from now on, if the bundle below is still the one that is served; returns whether."""
        with self._swapping:
            if self.base is not overlay.base:
                return False
            self._loaded = overlay
        return True

    def start(self) -> None:
        """In the background, load the bundle, or another version that is sound; then look for changes."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking for changes. A bundle that is being loaded is not waited for: that may take a minute."""
        self._closing.set()
        self._wanted.set()
        self._thread.join(CLOSING_S)

    def request_reload(self) -> None:
        """Load the bundle again soon, in the background."""
        self._wanted.set()

    def load(self, *, or_older: bool = False) -> LoadedBundle:
        """Load the bundle of the settings now and serve it; if it is refused, what was served goes on.

        Args:
            or_older: where it is refused, try its older versions.

        Raises:
            BundleError: it is missing, partial, corrupt or incompatible; the message says which.
            NotReadyError: the server has been told to end.
        """
        with self._loading:
            self._seen, self._retry_at = signature(self._settings.bundle), math.inf
            started = time.perf_counter()
            try:
                loaded = self._open(or_older)
            except RecsysError as error:
                self.progress.stands_at(str(error))
                if self._loaded is None or isinstance(error.__cause__, OSError):
                    self._retry_at = time.monotonic() + RETRY_S
                with _logged("The metrics miss a bundle that was refused"):
                    self._metrics.bundle_refused()
                served = "nothing is served" if self._loaded is None else f"{self._loaded.bundle.version} goes on"
                logger.error("The bundle was refused; %s. %s", served, error)
                raise
            if self._closing.is_set():
                raise NotReadyError("the server ends")
            overlay = self._with_live_items(loaded)
            with self._swapping:
                old, self._loaded = self._loaded, overlay
        with _logged("The metrics miss which bundle is served"):
            if old is not None:
                self._metrics.serving(old.bundle.name, old.bundle.version, yes=False)
            self._metrics.serving(loaded.bundle.name, loaded.bundle.version, yes=True)
        logger.info(
            "Serving %s, version %s, loaded in %.1f s",
            loaded.bundle.name,
            loaded.bundle.version,
            time.perf_counter() - started,
        )
        self._first_is(None)  # before what may wait for a store
        with _logged("What follows a new bundle was not done"):
            self._on_change(overlay)
        return overlay

    def _with_live_items(self, loaded: LoadedBundle) -> LoadedBundle:
        try:
            return self._overlay(loaded)
        except Exception:  # a sound bundle is served, whatever was said of its items
            logger.exception("Live items are not seen over %s", loaded.bundle.path)
            return loaded

    def _first_is(self, error: RecsysError | None) -> None:
        with suppress(InvalidStateError):  # it was done already
            self.first.set_result(error)

    def _open(self, or_older: bool) -> LoadedBundle:
        path = self._settings.bundle
        try:
            return self._open_current(path, or_older)
        except OSError as error:
            raise BundleError(f"a bundle in {path}", str(error), "let the server read it") from error

    def _open_current(self, path: Path, or_older: bool) -> LoadedBundle:
        if (path / MANIFEST_FILE).is_file():
            return self._open_version(path)
        for _ in range(ATTEMPTS):
            version = current_version(path)
            try:
                return self._open_version(path / version)
            except BundleError as error:
                if current_version(path) != version:  # replaced, and removed, while it was being opened
                    continue
                if or_older:
                    return self._open_older(version, error)
                raise
        raise BundleError(f"a bundle in {path}", "a new one at every look", "wait until training has ended")

    def _open_version(self, path: Path) -> LoadedBundle:
        return LoadedBundle.open(path, self._settings, self._warm_up, self.progress.begin)

    def _open_older(self, refused: str, error: BundleError) -> LoadedBundle:
        """The best other version that can be opened; raises `error` if there is none."""
        for name in Versions(self._settings.bundle).fallbacks():
            try:
                loaded = self._open_version(self._settings.bundle / name)
            except BundleError:
                continue
            logger.error("Version %s was refused, %s is served. %s", refused, name, error)
            return loaded
        raise error

    def _run(self) -> None:
        """Load the first bundle, then look for others."""
        try:
            self.load(or_older=True)
        except RecsysError as error:  # logged; /ready says why
            self._first_is(error)
        except NotReadyError:  # told to end meanwhile
            return
        except Exception as error:
            logger.exception("The bundle cannot be loaded")
            self._first_is(
                BundleError(
                    f"a bundle in {self._settings.bundle}",
                    f"{type(error).__name__}: {error}",
                    "mend what the log names",
                )
            )
        while True:
            asked = self._wanted.wait(self._settings.reload_poll_s or None)
            if self._closing.is_set():
                return
            self._wanted.clear()
            failure = "The look for another bundle failed; there will be others, and this is not logged again"
            with self._troubles.survived(failure, self._metrics.bundle_watch_failed):
                self._look(asked)

    def _look(self, asked: bool) -> None:
        """Load the bundle if it is another one, if the one served is damaged, or if that was `asked` for.

        One that could not be read, or in whose place nothing is served, is tried again after some time.
        """
        fault = None if self._loaded is None else damage(self._loaded.bundle)
        damaged, self._damage = fault is not None and fault != self._damage, fault
        if damaged:
            logger.error("The bundle that is served is damaged: %s; another version is looked for", fault)
        due = time.monotonic() >= self._retry_at
        if asked or damaged or due or signature(self._settings.bundle) != self._seen:
            with suppress(RecsysError, NotReadyError):  # logged; what was served goes on
                self.load(or_older=damaged or self._loaded is None)


@contextmanager
def _logged(failure: str) -> Iterator[None]:
    """Log any error and go on: a server that follows its bundles no longer would be worse."""
    try:
        yield
    except Exception:
        logger.exception(failure)
