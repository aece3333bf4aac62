"""Settings of the server: typed, from a file, the environment (`RECSYS_BUNDLE`, ...) or options, defined once."""

from __future__ import annotations

import os
import re
import tomllib
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import InitSettingsSource

from recsys.core.errors import ConfigError
from recsys.explain.sensitive import SensitiveNames

ENV_PREFIX = "RECSYS_"
NO_STORE = "none"
# As Content-Security-Policy takes them: a character more could add to the policy.
IMAGE_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?", re.ASCII)
Days = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """How the server runs. A later source wins: file, environment, options."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    config: Path | None = Field(None, description="TOML file with any of these settings.")

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0: all interfaces.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port to listen on; 0: a free one.")
    workers: Annotated[int, Field(ge=1, le=256)] = Field(1, description="Server processes.")
    shutdown_s: Annotated[int, Field(ge=1)] = Field(
        30, description="Longest wait, at the end, for requests that are being answered."
    )

    bundle: Path = Field(
        Path("saved_model/sample"), description="Bundle to serve: saved_model/NAME, or one version of it."
    )
    verify: Literal["full", "quick"] = Field(
        "full", description="Check of a bundle before it is served. full: checksums of its files; quick: their sizes."
    )
    trusted_version: str | None = Field(
        None, description="Version of the bundle that has been checked before: its files are checked by size alone."
    )
    reload_poll_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        1.0, description="Seconds between looks for a new version of the bundle; 0: never, reload by signal or request."
    )
    report: Path | None = Field(
        None,
        description="Report of the bundle's evaluation, which GET /report shows: the page or its folder. Unset: "
        "data/reports/NAME, where evaluate.py writes it.",
    )
    candidates: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Items that the two-tower proposes; unset: as many as the bundle was made with."
    )
    scoring_threads: Annotated[int, Field(ge=1)] = Field(
        2, description="Threads of each process that share the users of a batch, sixteen or more each."
    )

    store: str = Field(
        "sqlite:///data/store.sqlite",
        min_length=1,
        description="URL of the database of events, SQLite or PostgreSQL; none: no events, no search.",
    )
    store_timeout_s: Seconds = Field(2.0, description="Longest wait for the store where something is written.")
    store_read_timeout_s: Seconds = Field(
        0.25, description="Longest wait for the events of a recommendation; it is given without them after that."
    )
    store_retry_s: Seconds = Field(1.0, description="Seconds between attempts to reach a store that is down.")
    live_events: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500,
        description="Most recent items of a user whose events a recommendation reads from the store; they are looked "
        "for among ten times as many events.",
    )
    index_items: bool = Field(True, description="Put the bundle's items into the store, where search finds them.")
    served_log: bool = Field(True, description="Keep in the store what was shown to whom by which bundle.")
    randomised_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.0,
        description="Share of lists whose ranked items chance puts in order, better ones rather earlier "
        "(Plackett-Luce), with the chance of each place in the served log: what it takes to judge other orders without "
        "showing them. Lists that the shop's rules arrange, drafted ones, later pages and those asked for with as_of "
        "or only_items keep their order.",
    )
    randomised_temperature: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = Field(
        0.5,
        description="How far chance goes, in standard deviations of a list's scores: an item that is so much better "
        "than another is e = 2.7 times as likely to come first. Near 0 the order stays, at large numbers any order is "
        "as likely as another.",
    )
    served_days: Days = Field(90.0, description="Days that what was shown is kept; 0: for ever.")
    attribution_days: Annotated[float, Field(gt=0, le=90, allow_inf_nan=False)] = Field(
        7.0, description="Days after a list in which a click or a purchase that names it counts as its outcome."
    )
    outcomes_timeout_s: Seconds = Field(
        30.0, description="Longest time that counting the outcomes of lists may take; a request beyond it gets 503."
    )
    events_days: Days = Field(
        0.0,
        description="Days that events are kept, from their arrival at most; 0: for ever. Training from the store reads "
        "those kept, and so do the histories, beside the bundle's.",
    )

    list_events_days: Days = Field(
        90.0,
        description="Days that impressions and what else is told of lists are kept, from their arrival at most; 0: for "
        "ever. What came of lists of before is not known any more.",
    )

    rules: Path | None = Field(
        None,
        description="YAML file of the shop's rules (docs/rules.md). Without a store they are all there are; a store "
        "that never held a rule is given them once, and changed over HTTP from then on.",
    )
    preset: Literal["accurate", "balanced"] = Field(
        "accurate",
        description="Rules that come with the program, beside the shop's own. accurate: none; balanced: lists of more "
        "variety. A rule of the shop with the same id takes the place of one of them.",
    )
    max_rules: Annotated[int, Field(ge=1, le=10_000)] = Field(500, description="Most rules that a shop may have.")
    rules_poll_s: Seconds = Field(
        1.0, description="Seconds between looks for changed rules: so long another worker goes by those of before."
    )
    max_experiments: Annotated[int, Field(ge=1, le=1000)] = Field(
        100, description="Most experiments that a shop may have, drafts and stopped ones included."
    )
    experiments_poll_s: Seconds = Field(
        1.0,
        description="Seconds between looks for changed experiments: so long another worker goes by those of before.",
    )
    users_poll_s: Seconds = Field(
        0.5,
        description="Seconds between looks for forgotten and merged users: so long others know those of before.",
    )
    tombstones_copy: Path | None = Field(
        None,
        description="File for a copy of the hashes of forgotten users, by which a server goes that starts while the "
        "store does not answer; unset: it shows what the bundle has of them until it does.",
    )
    rules_copy: Path | None = Field(
        None,
        description="File for a copy of the store's rules, by which a server goes that starts while the store does not "
        "answer; unset: its lists go without them until it does, and /ready says so.",
    )
    max_previews: Annotated[int, Field(ge=1)] = Field(
        4, description="Previews of rules waiting in a worker or under way; a request beyond gets 503 at once."
    )

    live_items_poll_s: Seconds = Field(
        0.5, description="Seconds between looks for changed items: so long another worker goes by those of before."
    )
    max_live_items: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        20_000,
        description="Most new items, which the bundle does not hold, that live beside it; training a bundle on the "
        "store makes them part of it. Items of the bundle may all be changed.",
    )
    text_vector_days: Days = Field(
        90.0, description="Days that the vector of a new item's text is kept, from when it was computed; 0: for ever."
    )

    language: str = Field(
        "en", min_length=2, description="Of explanations and blurbs where a request names none, such as en or de_CH."
    )
    strings: Path | None = Field(
        None,
        description="JSON file with the strings of explanations in a language of your own, or other words than the "
        "program's; recsys/explain/text/strings/en.json is complete.",
    )
    currency: str | None = Field(
        None, description="Currency of the catalogue's prices, such as EUR; unset: texts show plain amounts."
    )
    sensitive_categories: str | None = Field(
        None,
        description="Categories that no explanation names, separated by commas; unset: those of most shops, see "
        "recsys/explain/sensitive.py.",
    )

    language_model: Literal["none", "openai", "anthropic"] = Field(
        "none",
        description="Who words explanations and blurbs. none: the rules alone; openai: a service that speaks OpenAI's "
        "chat completions, as many do; anthropic: one that speaks Anthropic's messages.",
    )
    language_model_url: str | None = Field(
        None, description="Its base URL, such as http://localhost:11434/v1; unset: the provider's own service."
    )
    language_model_name: str | None = Field(None, min_length=1, description="Name of the model, as the service has it.")
    language_model_key_variable: str = Field(
        "LANGUAGE_MODEL_API_KEY",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Name of the environment variable that holds the service's API key; the key itself is no setting.",
    )
    language_model_mode: Literal["restricted", "free"] = Field(
        "restricted",
        description="restricted: the model chooses among the rules' sentences and orders them; free: it writes its "
        "own, and the guard refuses those that say more than the facts.",
    )
    language_model_deadline_s: Seconds = Field(
        2.0, description="Longest wait for the language model, a second try included; the rules' text is given then."
    )
    language_model_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        60, description="Most calls of the language model in a minute, of all workers together."
    )
    language_model_at_once: Annotated[int, Field(ge=1, le=1024)] = Field(
        4, description="Most calls of the language model at the same time, of a worker."
    )
    language_model_proxy: str | None = Field(
        None, description="URL of a proxy to the language model; those of the environment are not used."
    )
    blurb_days: Days = Field(30.0, description="Days that a language model's blurb is kept; 0: for ever.")

    api_keys: Path | None = Field(
        None, description="JSON file of API keys (hashes; see python -m serve.auth); unset: no key is asked for."
    )
    open: bool = Field(
        False, description="Serve without API keys where other machines may connect: whoever does can ask everything."
    )
    rate_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="Requests a second of one key, or of one address without keys, in all workers; unset: any.",
    )
    rate_burst: Annotated[int, Field(ge=1)] = Field(20, description="Requests that may come at once within rate_limit.")
    cors_origins: str = Field("", description="Origins of browsers that may call, separated by commas; *: all.")
    ui: bool = Field(True, description="Serve the page at /ui/, by which people look at what the API knows.")
    ui_image_hosts: str = Field(
        "",
        description="Hosts that the page may load pictures of items from, separated by commas, such as "
        "images.example.com or *.example.com; each is told which items are looked at.",
    )
    max_in_flight: Annotated[int, Field(ge=1)] = Field(
        128, description="Requests answered at the same time by a worker; more get 503 at once."
    )
    max_queue: Annotated[int, Field(ge=1)] = Field(
        1024, description="Users waiting for their list in a worker; a request beyond gets 503 at once."
    )
    max_explanations: Annotated[int, Field(ge=1)] = Field(
        32,
        description="Explanations of a depth, cheap or full, waiting in a worker or under way; a request beyond gets "
        "503 at once.",
    )
    max_batch: Annotated[int, Field(ge=1)] = Field(32, description="Most users of waiting requests scored together.")
    trusted_proxies: str = Field(
        "",
        description="Proxies in front, addresses or networks (10.0.0.0/8), separated by commas: of a request from one "
        "of them, X-Forwarded-For, X-Forwarded-Proto and Forwarded say whose it is. From all others they are ignored.",
    )
    max_connections: Annotated[int, Field(ge=1)] = Field(
        4096,
        description="Connections at once of a worker; fewer where it may not open so many files. Beyond them, those "
        "that the server has waited for longest end.",
    )
    max_connections_per_address: Annotated[int, Field(ge=1)] = Field(
        256, description="The same of one address, of IPv6 of one /64 network; trusted proxies are not counted."
    )
    max_head_bytes: Annotated[int, Field(ge=1024)] = Field(
        65_536, description="Longest head of a request: its line and its headers."
    )
    head_timeout_s: Seconds = Field(10.0, description="Longest wait for the head of a request.")
    idle_timeout_s: Seconds = Field(5.0, description="Longest wait for another request on a connection.")
    send_timeout_s: Seconds = Field(
        10.0, description="Longest wait for a client to read the next 64 KiB of an answer, or its rest."
    )
    max_body_bytes: Annotated[int, Field(ge=1)] = Field(1_048_576, description="Longest body of a request.")
    body_timeout_s: Seconds = Field(10.0, description="Longest wait for the body of a request.")

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe lines logged: debug, info, warning or error."
    )
    log_format: Literal["json", "text"] = Field("json", description="Lines of the log: json or text.")
    access_log: bool = Field(False, description="Log one line a request.")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, given: str) -> str:
        for name in _listed(given):
            ip_network(name)  # raises a ValueError that says what is wrong
        return given

    @field_validator("ui_image_hosts")
    @classmethod
    def _hosts(cls, given: str) -> str:
        for name in _listed(given):
            if not IMAGE_HOST.fullmatch(name):
                raise ValueError(f"{name!r} is no host such as images.example.com, *.example.com or localhost:8080")
        return given

    @property
    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """`trusted_proxies` as networks."""
        return [ip_network(name) for name in _listed(self.trusted_proxies)]

    @property
    def origins(self) -> list[str]:
        """`cors_origins` as a list."""
        return _listed(self.cors_origins)

    @property
    def image_hosts(self) -> list[str]:
        """`ui_image_hosts` as a list."""
        return [name.lower() for name in _listed(self.ui_image_hosts)]

    @property
    def sensitive_names(self) -> SensitiveNames:
        """`sensitive_categories`, or those of most shops."""
        listed = self.sensitive_categories
        return SensitiveNames() if listed is None else SensitiveNames(tuple(_listed(listed)))

    def public(self) -> dict[str, Any]:
        """The settings without secrets: of the store's URL only kind, host, port and name."""
        shown = self.model_dump(mode="json")
        if self.store != NO_STORE:
            url = urlsplit(self.store)
            host = url.netloc.rpartition("@")[2]
            shown["store"] = f"{url.scheme}://{host}{url.path}"
        return shown

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # given by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then the environment, then the file that either of them names."""
        given = init_settings().get("config") or os.environ.get(f"{ENV_PREFIX}CONFIG")
        if given is None:
            return init_settings, env_settings
        return init_settings, env_settings, InitSettingsSource(settings_cls, _read(Path(str(given))))


def load_settings(**overrides: object) -> Settings:
    """Settings from file and environment, with `overrides` (None: not given) on top.

    Raises:
        ConfigError: a value does not fit; every offending setting is named.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic converts and checks each value
    except ValidationError as error:
        problems = [f"{_names(e['loc'])}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        raise ConfigError(
            "settings that fit serve/settings.py", "; ".join(problems), "correct them; see python -m serve --help"
        ) from None


def _listed(text: str) -> list[str]:
    """What is separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"settings in {path}", str(error), "name a TOML file that can be read") from None


def _names(location: tuple[int | str, ...]) -> str:
    setting = str(location[0]) if location else "settings"
    return f"{ENV_PREFIX}{setting.upper()} or --{setting.replace('_', '-')}"
