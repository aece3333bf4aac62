"""Calls of a service: bounded in time and size, by a connection that nothing but the settings directs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import SplitResult, urlsplit

import httpx2
import msgspec

from recsys.core.errors import ConfigError
from serve.explanations.language_model.failures import Failure, NoAnswerError
from serve.explanations.language_model.protocols import SERVICES, Prompt, Service
from serve.settings import Settings

MAX_BYTES = 65_536  # of an answer; one of `MAX_TOKENS` takes a few thousand
_JSON = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}


@dataclass(frozen=True)
class Endpoint:
    """What is called.

    Attributes:
        service: its protocol.
        url: of the calls.
        model: as the service names it.
        headers: of every call, the key among them; never shown or logged.
        proxy: on the way; None: none.
        key: of the service; None: none.
    """

    service: Service
    url: str
    model: str
    headers: dict[str, str]
    proxy: str | None
    key: str | None

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, {self.model!r})"

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """That of the settings, with the key that the environment holds, if it does.

        Raises:
            ConfigError: no model is named, a URL is none or bears a password, or the key would go unencrypted.
        """
        service = SERVICES[settings.language_model]
        if settings.language_model_name is None:
            raise ConfigError("the name of a model beside language_model", "none", "set language_model_name")
        base = settings.language_model_url or service.url
        url = _checked("language_model_url", base)
        if settings.language_model_proxy is not None:
            _checked("language_model_proxy", settings.language_model_proxy)
        key = os.environ.get(settings.language_model_key_variable, "").strip() or None
        if key is not None and not (key.isascii() and key.isprintable()):
            raise ConfigError(
                f"an API key of visible characters in {settings.language_model_key_variable}",
                "one with others",
                "copy it again",
            )
        if key is not None and url.scheme == "http" and not _is_own(url.hostname or ""):
            raise ConfigError(
                "https in language_model_url, or no key",
                f"http to {url.hostname}, where everybody on the way can read the key",
                f"use https, or unset {settings.language_model_key_variable}",
            )
        headers = {**_JSON, **service.headers(key)}
        full = f"{base.rstrip('/')}/{service.path}"
        return cls(service, full, settings.language_model_name, headers, settings.language_model_proxy, key)

    def without_key(self, text: str) -> str:
        """A text of errors, which quote what was answered: a service that is none may send back what it was told."""
        return text if self.key is None else text.replace(self.key, "…")


class Client:
    """Calls an endpoint. Connections are kept; one event loop uses them."""

    def __init__(self, endpoint: Endpoint, deadline_s: float) -> None:
        """Get ready; nothing is connected before the first call."""
        self._endpoint = endpoint
        # Variables such as HTTPS_PROXY and a .netrc file could send the key elsewhere; redirects could, too.
        self._http = httpx2.AsyncClient(
            trust_env=False, follow_redirects=False, timeout=deadline_s, proxy=endpoint.proxy, headers=endpoint.headers
        )

    async def ask(self, prompt: Prompt) -> msgspec.Raw:
        """The JSON that the model answers.

        Raises:
            NoAnswerError: there is none.
        """
        content = msgspec.json.encode(self._endpoint.service.body(self._endpoint.model, prompt))
        try:
            async with self._http.stream("POST", self._endpoint.url, content=content) as response:
                _require_success(response)
                body = await _read(response)
        except httpx2.TimeoutException:
            raise NoAnswerError(Failure.TIMED_OUT) from None
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            raise NoAnswerError(Failure.UNREACHABLE, f"{type(error).__name__}: {error}") from None
        return self._endpoint.service.answer(body)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _require_success(response: httpx2.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if 300 <= status < 400:
        raise NoAnswerError(Failure.REDIRECTED, f"status {status}")
    if status == 429:
        raise NoAnswerError(Failure.RATE_LIMITED, rest_s=_retry_after(response.headers.get("retry-after", "")))
    failure = Failure.UNAVAILABLE if status >= 500 else Failure.REJECTED
    raise NoAnswerError(failure, f"status {status}")


def _retry_after(value: str) -> float:
    """Seconds; of a date, or of what is none, a few."""
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else 10.0


async def _read(response: httpx2.Response) -> bytes:
    """A body of at most `MAX_BYTES`, which is not packed: a small one could become a large one."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NoAnswerError(Failure.BROKEN, "a packed answer, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise NoAnswerError(Failure.TOO_LARGE)
    return bytes(body)


def _checked(setting: str, given: str) -> SplitResult:
    """A URL. What was given is not repeated: it may hold a password."""
    try:
        url = urlsplit(given)
        sound = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not (url.query or url.fragment)
    except ValueError:
        sound = False
    if not sound:
        raise ConfigError(f"a URL as {setting}", "none", "write https://host/path, without a query")
    if url.username is not None or url.password is not None:
        raise ConfigError(f"no user and password in {setting}", "some", "take them out: settings are shown")
    return url


def _is_own(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
