"""What must not happen while a page is shown: messages in the console, exceptions, failures, requests elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

NOT_LOADED = "Failed to load resource"  # Chromium's word for each failed answer, which is counted by itself
INSIDE = ("data", "blob")
LEFT = "net::ERR_ABORTED"  # the page did not want the answer any more


class Watch:
    """Notes what goes wrong in the pages of a context.

    Attributes:
        faults: what was not announced, in the order in which it happened.
    """

    def __init__(self, context: BrowserContext, host: str) -> None:
        self._host = host
        self._statuses: set[int] = set()
        self._messages: tuple[str, ...] = ()
        self._unreachable = False
        self.faults: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._exception)
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failure)

    def expect_statuses(self, *statuses: int) -> None:
        """From now on, answers may have these statuses."""
        self._statuses.update(statuses)

    def expect_messages(self, *parts: str) -> None:
        """From now on, messages in the console may hold one of these texts."""
        self._messages += parts

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Within it, requests may get no answer."""
        self._unreachable = True
        yield
        self._unreachable = False

    def _console(self, message: ConsoleMessage) -> None:
        expected = (NOT_LOADED, *self._messages)
        if message.type in ("error", "warning") and not any(part in message.text for part in expected):
            self.faults.append(f"console {message.type}: {message.text}")

    def _exception(self, error: WebError) -> None:
        self.faults.append(f"exception: {error.error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in INSIDE and parts.netloc != self._host:
            self.faults.append(f"request to another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._statuses:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")

    def _failure(self, request: Request) -> None:
        if request.failure != LEFT and not self._unreachable:
            self.faults.append(f"no answer ({request.failure}): {request.method} {request.url}")
