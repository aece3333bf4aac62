"""What a file seems to be: an event log, a catalogue, a log of properties, a table of users, or something else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from recsys.core.errors import DataError
from recsys.inspect.columns import Column, columns_of
from recsys.inspect.order_lines import completed
from recsys.inspect.parquet_samples import parquet_sample
from recsys.inspect.roles import Roles, event_roles, item_roles, roles_by_name, told_roles, user_roles
from recsys.inspect.samples import Sample
from recsys.inspect.text_samples import text_sample
from recsys.inspect.words import EVENT_COLUMNS, ITEM_COLUMNS, USER_COLUMNS, likeness
from recsys.prepare.formats.evident import evident_kind
from recsys.prepare.formats.layouts import fitting_formats
from recsys.prepare.formats.matching import plain_name
from recsys.prepare.formats.parquet import is_parquet

Kind = Literal[
    "event log",
    "catalogue",
    "property log",
    "users",
    "order lines",
    "orders",
    "category tree",
    "schema",
    "store",
    "Amazon reviews",
    "Amazon metadata",
    "RecBole interactions",
    "RecBole items",
    "something else",
]
_RECBOLE_TYPES = (":token", ":token_seq", ":float", ":float_seq")
_ORDER_IDS = ("orderid", "invoiceno", "orderno", "ordernumber", "invoice", "basketid", "transactionid")


@dataclass
class Table:
    """A file and what it seems to be.

    Attributes:
        path: of the file.
        kind: what it seems to be.
        what: the same in words, as a sentence; of what is not read, what it is and what to do.
        sample: rows of it; None of what has no rows.
        columns: of the sample.
        roles: of its columns, by our names: of events, of items for a catalogue.
        told: of an event log, roles of the columns that tell of the item.
        group: of an event log, the column of the order whose first line alone says what all its lines share, or "".
        format: by which `data.format` names what reads it.
        also_fitting: other formats that read it as well: two editions of Amazon's reviews name their fields alike.
    """

    path: Path
    kind: Kind
    what: str
    sample: Sample | None = None
    columns: list[Column] = field(default_factory=list)
    roles: Roles = field(default_factory=dict)
    told: Roles = field(default_factory=dict)
    group: str = ""
    format: str = "events"
    also_fitting: list[str] = field(default_factory=list)

    def column(self, role: str) -> Column | None:
        """The column of a role."""
        name = self.roles[role].column if role in self.roles else None
        return next((column for column in self.columns if column.name == name), None)


def look_at(path: Path) -> Table:
    """What a file seems to be; one that is not read is described in a sentence and raises nothing."""
    try:
        if evident_kind_of(path) == "an SQLite database":
            return Table(path, "store", "An SQLite database: the server's event store, if it is one.", format="store")
        sample = parquet_sample(path) if is_parquet(path) else text_sample(path)
    except DataError as error:
        return Table(path, "something else", _sentence(error))
    except OSError as error:
        return Table(path, "something else", f"It cannot be read: {error.strerror or error}.")
    return _known_format(sample) or _by_columns(sample)


def evident_kind_of(path: Path) -> str | None:
    """`evident_kind`, None also of what is no text."""
    try:
        return evident_kind(path)
    except DataError:
        return None


def _sentence(error: DataError) -> str:
    got = error.got[:1].upper() + error.got[1:]
    return f"{got}. What to do: {error.remedy}."


def _known_format(sample: Sample) -> Table | None:
    """Amazon's and RecBole's files, and schemas: what names its fields in a way of its own."""
    names = sample.rows.column_names
    path = sample.path
    if sample.layout == "delimited text" and all(name.endswith(_RECBOLE_TYPES) for name in names):
        return _recbole(sample)
    if sample.layout not in ("JSON lines", "Python literals"):
        return _schema(sample)
    for kind, words in (("interactions", "reviews"), ("metadata", "metadata")):
        fitting = fitting_formats(path, kind) if sample.layout == "JSON lines" or kind == "metadata" else []  # type: ignore[arg-type]
        certain = {"reviewerID", "parent_asin", "asin"} & set(names)
        if fitting and certain and fitting[0].startswith("amazon"):
            editions = " or ".join(name[-4:] for name in fitting)
            table = Table(path, f"Amazon {words}", f"Amazon {words}, edition of {editions}.", sample)  # type: ignore[arg-type]
            table.columns, table.format, table.also_fitting = columns_of(sample), fitting[0], fitting[1:]
            table.roles = event_roles(table.columns, True) if words == "reviews" else item_roles(table.columns)
            return table
    return _schema(sample)


def _recbole(sample: Sample) -> Table:
    columns = columns_of(sample)
    plain_names = [Column(column.name.rpartition(":")[0], column.texts, column.type) for column in columns]
    is_log = any(column.name == "timestamp" for column in plain_names)
    kind: Kind = "RecBole interactions" if is_log else "RecBole items"
    table = Table(sample.path, kind, f"{kind}: RecBole's atomic files.", sample, plain_names, format="recbole")
    table.roles = event_roles(plain_names, True) if is_log else item_roles(plain_names)
    return table


def _schema(sample: Sample) -> Table | None:
    """A schema in the style of Avro, as Amazon Personalize has it beside its tables."""
    if sample.layout == "delimited text" or not sample.head:
        return None
    try:
        tree = json.loads(sample.head)
    except ValueError:
        return None
    if not isinstance(tree, dict) or not isinstance(tree.get("fields"), list) or tree.get("type") != "record":
        return None
    names = [str(entry.get("name")) for entry in tree["fields"] if isinstance(entry, dict)]
    what = f"A schema of {tree.get('name', 'a table')}, with the columns {', '.join(names)}."
    table = Table(sample.path, "schema", what)
    table.roles = roles_by_name(names, EVENT_COLUMNS)
    if not {"user_id", "item_id"} <= set(table.roles):
        table.roles = roles_by_name(names, ITEM_COLUMNS)
    return table


def _by_columns(sample: Sample) -> Table:
    """By the roles of its columns."""
    sample, group = completed(sample)
    columns = columns_of(sample)
    names = {plain_name(column.name) for column in columns}
    table = Table(sample.path, "something else", "", sample, columns, group=group)
    table.roles = event_roles(columns, sample.has_names)
    if {"property", "value"} <= names and "item_id" in table.roles:
        table.kind, table.what = "property log", "A log of properties of items: a row for each value that one took."
        table.roles = {role: given for role, given in table.roles.items() if role in ("item_id", "timestamp")}
    elif "user_id" in table.roles and not _surely(table, "item_id") and _are_persons(table):
        _make_users(table)
    elif {"user_id", "item_id", "timestamp"} <= set(table.roles) and not _is_catalogue(table):
        _make_log(table)
    elif {"categoryid", "parentid"} <= names:
        table.kind, table.what = "category tree", "A tree of categories, which is not read."
    elif names & set(_ORDER_IDS) and "item_id" in table.roles and not _has_user(table):
        table.kind = "order lines"
        table.what = "Lines of orders without user and time: they stand in another file, the orders."
    elif names & set(_ORDER_IDS) and _has_user(table) and not _surely(table, "item_id"):
        table.kind, table.what = "orders", "Orders with their users, without items: those stand in another file."
    elif _has_user(table) and not _surely(table, "item_id") and _describes_users(table):
        _make_users(table)
    elif (roles := item_roles(columns)) and "item_id" in roles and len(roles) > 1:
        table.kind, table.what, table.roles = "catalogue", "A catalogue, a record for each item.", roles
    else:
        _make_unclear(table)
    return table


def _are_persons(table: Table) -> bool:
    """Whether each row is another user, of whom it says what is said of persons alone."""
    user = table.column("user_id")
    told = {name for name in ("age", "birthday", "gender", "city") if name in user_roles(table.columns)}
    return user is not None and user.is_unique and bool(told)


def _make_users(table: Table) -> None:
    table.kind, table.what = "users", "A table of users, a row for each."
    told = {f"user.{name}": role for name, role in user_roles(table.columns).items()}
    table.roles = {"user_id": table.roles["user_id"], **told}


def _make_log(table: Table) -> None:
    table.kind = "event log"
    table.told = told_roles(table.columns, table.roles)
    types = table.column("event_type")
    if types is not None:
        table.what = "An event log, a row for each event."
    elif "rating" in table.roles:
        table.what = "Ratings, a row for each; there is no type of event."
    else:
        table.what = "An event log without types of events, a row for each purchase perhaps."


def _is_catalogue(table: Table) -> bool:
    """Whether a record describes an item, although a column may be taken for a user."""
    item = table.column("item_id")
    roles = item_roles(table.columns)
    guessed = any(table.roles[role].is_guessed for role in ("user_id", "timestamp"))
    describes = {"title", "categories", "brand", "description"} & set(roles)
    return guessed and item is not None and item.is_unique and bool(describes)


def _has_user(table: Table) -> bool:
    return _surely(table, "user_id") or any(plain_name(column.name) == "userid" for column in table.columns)


def _surely(table: Table, role: str) -> bool:
    return role in table.roles and not table.roles[role].is_guessed


def _describes_users(table: Table) -> bool:
    user = table.column("user_id")
    known = any(likeness(column.name, role, USER_COLUMNS) for column in table.columns for role in USER_COLUMNS)
    return user is not None and user.is_unique and (known or "timestamp" not in table.roles)


def _make_unclear(table: Table) -> None:
    lacking = [role for role in ("user_id", "item_id", "timestamp") if role not in table.roles]
    known = [role for role in EVENT_COLUMNS if role in table.roles]
    table.what = (
        f"A table of {len(table.columns)} columns; no column is evidently {', '.join(lacking)}."
        if known
        else f"A table of {len(table.columns)} columns, none of which is evidently a user, an item or a time."
    )
