"""Settings of the preparation: the raw data, what is kept of it, and the split."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from recsys.core.errors import ConfigError
from recsys.core.events import LIST_EVENT_TYPES, LOG_WEIGHTS, RATING, UNDO_EVENTS
from recsys.core.settings import NonNegative, OpenShare, Positive, Section, Share, unmentioned
from recsys.prepare.attribute_settings import Attributes, check_attributes
from recsys.prepare.formats.registry import FORMATS
from recsys.prepare.mapping_settings import GROUP, IGNORE, ITEM_FIELDS, OF_ITEM, MappingConfig
from recsys.prepare.schema import ItemsKept, Repeats
from recsys.prepare.text_settings import TextConfig
from recsys.prepare.value_settings import EventTypeKey, ValueConfig, each_type_once

# As Spark tells which of its settings are not to be shown (spark.redaction.regex), and keys of stores.
_SECRET = re.compile(r"secret|password|token|(access|account)[.]?key", re.IGNORECASE)


class SplitConfig(Section):
    """How interactions are split into train, validation and test."""

    method: Literal["leave_one_out", "temporal", "ratio"] = Field(
        "leave_one_out",
        description="leave_one_out: each user's last item is test, the one before validation. "
        "temporal: one global time each for validation and test. ratio: shares of each user's history.",
    )
    validation_share: OpenShare = Field(0.1, description="Share of interactions (temporal, ratio).")
    test_share: OpenShare = Field(0.1, description="Share of interactions (temporal, ratio).")
    cold_items_share: Annotated[float, Field(ge=0, lt=1)] = unmentioned(
        0.0,
        description="Share of the items, drawn (seeded) among those with test interactions, that lose all others: "
        "cold items to be measured on.",
    )

    @model_validator(mode="after")
    def _leave_training_data(self) -> Self:
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share + test_share must be below 1")
        return self


def _registered(name: str | None) -> str | None:
    if name is not None and name not in FORMATS:
        raise ValueError(f"no such format; there are {', '.join(FORMATS)}")
    return name


def _without_scheme(entry: Any) -> Any:
    """The path in `sqlite:///PATH`, as the server's option --store names its file; a Path would lose a slash."""
    return entry.removeprefix("sqlite:///") if isinstance(entry, str) else entry


InputPath = Annotated[Path, BeforeValidator(_without_scheme)]
FormatName = Annotated[str, AfterValidator(_registered)]


class InputConfig(Section):
    """Inputs with a format of their own, beside others in the format of the dataset."""

    path: InputPath = Field(description="A file, a glob, a folder or the URL of a store.")
    format: FormatName | None = Field(None, description="Its format; null: data.format.")
    event_type: EventTypeKey | None = unmentioned(
        None, description="Type of each of its events, if it has no column of types; null: data.event_type."
    )


def _kind_of_entry(entry: Any) -> str:
    return "map" if isinstance(entry, dict | InputConfig) else "path"


# Told apart by their kind, so that an error names the one that was meant.
InputEntry = Annotated[
    Annotated[InputPath, Tag("path")] | Annotated[InputConfig, Tag("map")], Discriminator(_kind_of_entry)
]


class DataConfig(ValueConfig, TextConfig, MappingConfig):
    """Raw data and what is kept of it."""

    format: FormatName = Field(
        description="Format of the raw data. "
        + " ".join(f"{entry.name}: {entry.description}." for entry in FORMATS.values())
    )
    interactions: list[InputEntry] = Field(
        min_length=1,
        description="Review files, event logs, stores: paths, globs (`logs/*.csv`), folders, URLs of any of these "
        "(`s3://bucket/logs/*.parquet`) and of PostgreSQL, or `{path: ..., format: ...}` for one in another format. "
        "With events and store, files and stores may be mixed.",
    )
    metadata: list[InputEntry] = Field(
        [],
        description="Item metadata files, named in the same way; may be empty. With events and store: CSV, Parquet or "
        "JSON with item_id, title, brand, categories, price, description, image; see metadata_columns for other names.",
    )
    properties: list[InputEntry] = unmentioned(
        [],
        description="Logs of the properties of items, a row for each value that one took at a time; the latest of each "
        "is kept, see property_names.",
    )
    users: list[InputEntry] = unmentioned(
        [], description="Files of users, a row for each, with the columns of user_attributes."
    )
    attributes: Attributes = unmentioned(
        {},
        description="Further columns of the catalogue that are kept, by the names with which rules ask for them "
        "(`item.seller`): `{seller: text, organic: bool, colours: {type: texts, column: COLORS}}`. `stock: number` "
        "says how many pieces are left: what has none is in no list.",
    )
    prepared_dir: Path = Field(Path("data/prepared"), description="Parent folder of prepared datasets.")
    upload_to: str | None = unmentioned(
        None,
        description="URL of a folder (s3://bucket/prepared) that gets a copy of the finished dataset, in a folder of "
        "its name.",
    )
    min_rating: float | None = Field(None, description="Drop rated interactions below; null keeps all.")
    k_core_users: NonNegative = Field(5, description="Fewest interactions a user must have; 0 or 1: no filter.")
    k_core_items: NonNegative = Field(5, description="Fewest interactions an item must have; 0 or 1: no filter.")
    event_weights: dict[EventTypeKey, Annotated[float, Field(gt=0)]] = Field(
        dict(LOG_WEIGHTS),
        description="Weight of each event type, whatever its case; an event of another type is a bad line.",
    )
    undo_events: dict[EventTypeKey, EventTypeKey | None] = unmentioned(
        dict(UNDO_EVENTS),
        description="Event types that take back the latest earlier event of another type of the same user and item "
        "(a return takes back its purchase); null: such events are dropped. A type with a weight is no undo.",
    )
    burst_seconds: NonNegative = unmentioned(
        10,
        description="Events of one user, item, type and quantity that follow each other within so many seconds (a page "
        "that is refreshed) count once, as the last of them; 0: each counts. For inputs with event types and times of "
        "day.",
    )
    max_user_events: NonNegative = unmentioned(
        1000,
        description="A user with more events than this, with more than max_user_share of all events, and with over ten "
        "times the events of the median user is left out (a crawler, a till, a test account); 0: nobody is.",
    )
    max_user_share: Share = unmentioned(0.1, description="See max_user_events; 0: max_user_events alone decides.")
    repeats: Repeats = unmentioned(
        "latest",
        description="What becomes of several events of one user with one item. latest: the strongest of them, and of "
        "equal ones the latest, is the interaction. count: one interaction in each part of the split, with the number "
        "of events. all: each is an interaction; held-out parts have an item once. With both, what a user chose "
        "before may follow again, in the parts of the split as in recommendations.",
    )
    repurchase_users: Positive = unmentioned(
        5,
        description="An item has a cycle of its own, the median time between two purchases of it by one user, if so "
        "many users bought it again; a category likewise. An item without one has that of its finest category.",
    )
    rating_range: tuple[float, float] = Field((1.0, 5.0), description="A rating outside is a bad line.")
    text_max_chars: Positive = Field(2000, description="Longest item text kept, in characters.")
    split: SplitConfig = SplitConfig()
    max_bad_line_share: Share = Field(0.01, description="Stop when more lines of a file than this are bad.")
    allow_truncated: bool = Field(False, description="Read what a cut-off compressed file holds instead of stopping.")
    engine: Literal["duckdb", "spark"] = unmentioned(
        "duckdb",
        description="What filters, splits and numbers events. duckdb: this machine; what does not fit into memory goes "
        "to its disk. spark: a cluster, or this machine; the same dataset (docs/clusters.md).",
    )
    spark_options: dict[str, str | int | float | bool] = unmentioned(
        {},
        description="Settings of Spark by their names, as `{spark.master: spark://host:7077}`. "
        "They count more than those of spark-submit. Credentials are refused: manifests hold all settings.",
    )
    spark_scratch: str | None = unmentioned(
        None,
        description="Folder, or URL (s3a://bucket/tmp), in which Spark keeps its tables while it works; all machines "
        "see it. null: beside the prepared dataset.",
    )
    memory_limit_mb: Annotated[int, Field(ge=128)] = Field(
        1000, description="DuckDB's memory limit, beyond which it spills; with Spark on this machine, that of the JVM."
    )
    threads: Positive = Field(2, description="Threads of DuckDB, and of Spark on this machine.")

    @model_validator(mode="after")
    def _attributes_of_a_catalogue(self) -> Self:
        check_attributes(self.attributes)
        told = [name.removeprefix(OF_ITEM) for name in self.columns if name.startswith(OF_ITEM)]
        if self.attributes and not (self.metadata or self.properties or told):
            raise ValueError("attributes needs metadata: the files that have these columns")
        known = {*ITEM_FIELDS, *self.attributes}
        if unknown := [name for name in self.metadata_columns if name not in {*known, GROUP}]:
            raise ValueError(
                f"metadata_columns has {', '.join(unknown)}, which is no field of items; there are "
                f"{', '.join(ITEM_FIELDS)}, {GROUP} and those of data.attributes"
            )
        for key, fields in (("columns", told), ("property_names", self.property_names.values())):
            if unknown := [name for name in fields if name not in known]:
                raise ValueError(f"{key} has {', '.join(unknown)} of items, which data.attributes does not name")
        return self

    @model_validator(mode="after")
    def _known_types(self) -> Self:
        known = {*self.event_weights, *self.undo_events, RATING, *LIST_EVENT_TYPES}
        if IGNORE in self.event_weights and IGNORE in self.event_types.values():
            raise ValueError(f"{IGNORE} is a type in event_weights, and so no word for events to leave out")
        if self.event_type is not None and self.event_type not in known:
            raise ValueError(f"event_type is {self.event_type}, which data.event_weights does not name")
        if of_lists := [name for name in LIST_EVENT_TYPES if name in self.event_weights]:
            raise ValueError(
                f"event_weights has {', '.join(of_lists)}, which is told of lists and is nobody's choice; where it is "
                "the view of an item's page, say so in event_types"
            )
        if unknown := [name for name in self.event_types.values() if name not in {*known, IGNORE}]:
            raise ValueError(f"event_types has {', '.join(unknown)}, which data.event_weights does not name")
        return self

    @property
    def items_kept(self) -> ItemsKept:
        """Which items are in the dataset; reviews and benchmarks keep to those that are reviewed."""
        if self.items != "auto":
            return self.items
        return "all" if self.format in ("events", "store") else "interacted"

    @field_validator("upload_to", "spark_scratch")
    @classmethod
    def _without_password(cls, url: str | None) -> str | None:
        if url and urlsplit(url).password is not None:
            raise ConfigError(
                "no passwords in URLs (data.upload_to, data.spark_scratch)",
                "one that has it",
                "give credentials as the store's own tools find them: environment or configuration file",
            )
        return url

    @field_validator("spark_options")
    @classmethod
    def _without_secrets(cls, options: dict[str, Any]) -> dict[str, Any]:
        if named := [name for name in options if _SECRET.search(name)]:
            raise ConfigError(
                "no credentials in data.spark_options, which manifests hold as they do all settings",
                ", ".join(named),
                "give them to Spark by its own configuration file, its environment or spark-submit",
            )
        return options

    @field_validator("event_weights", "undo_events", mode="before")
    @classmethod
    def _each_type_once(cls, types: Any) -> Any:
        return each_type_once(types)


class PreparationConfig(Protocol):
    """What preparing a dataset reads of a config."""

    @property
    def name(self) -> str:
        """Name of the dataset."""

    @property
    def synthetic(self) -> bool:
        """Whether the data is generated."""

    @property
    def seed(self) -> int:
        """Seed of everything drawn at random."""

    @property
    def data(self) -> DataConfig:
        """The raw data."""

    @property
    def prepared_path(self) -> Path:
        """Folder of the prepared dataset."""
