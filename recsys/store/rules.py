"""A shop's rules, kept as texts."""

from __future__ import annotations

from recsys.store.database import Database
from recsys.store.kept_texts import KeptTexts, TextTables
from recsys.store.tables import RULE_CHANGES, RULES, RULES_VERSION

_TABLES = TextTables("a rule", "rule changes", RULES, RULE_CHANGES, RULES_VERSION)


class Rules(KeptTexts):
    """The rules of a store."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, _TABLES)
