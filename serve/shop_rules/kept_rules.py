"""All rules of a shop at a moment: those kept in the store, in a file, and of a preset, each with where it is from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError

from recsys.core.errors import ConfigError, said
from recsys.rules.presets import preset_rules
from recsys.rules.rule import Rule
from recsys.rules.rules_file import read_rules
from recsys.store import StoredText, StoredTexts
from serve.settings import Settings

Origin = Literal["store", "file", "preset"]


@dataclass(frozen=True)
class KeptRule:
    """A rule, and where it is from.

    Attributes:
        id: of the rule.
        rule: what it says; None: it cannot be read, since another version of the program kept it.
        body: the same as JSON, as it is kept.
        origin: where it is kept.
        stored: its version in the store, and who made that when; None: it is in no store.
        fault: why it cannot be read.
    """

    id: str
    rule: Rule | None
    body: str
    origin: Origin
    stored: StoredText | None = None
    fault: str | None = None

    @classmethod
    def of_store(cls, stored: StoredText) -> Self:
        """A rule that the store gave."""
        try:
            rule = Rule.model_validate_json(stored.body)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "rule"
            return cls(stored.key, None, stored.body, "store", stored, f"{place}: {said(first)}")
        return cls(stored.key, rule, stored.body, "store", stored)


@dataclass(frozen=True)
class ShopRules:
    """All rules of a shop, by id; of several with the same id one is left: the store's, the file's, the preset's.

    Attributes:
        rules: ordered by id.
        version: changes of the store's rules so far; 0: nothing is known of a store.
    """

    rules: tuple[KeptRule, ...]
    version: int = 0

    @classmethod
    def of(cls, kept: Iterable[KeptRule], version: int = 0) -> Self:
        """Of rules of all origins; a later one takes the place of an earlier one of the same id."""
        by_id = {rule.id: rule for rule in kept}
        return cls(tuple(by_id[name] for name in sorted(by_id)), version)

    @property
    def readable(self) -> tuple[Rule, ...]:
        """The rules that say something."""
        return tuple(kept.rule for kept in self.rules if kept.rule is not None)

    def find(self, rule_id: str) -> KeptRule | None:
        """The rule of that id."""
        return next((kept for kept in self.rules if kept.id == rule_id), None)


@dataclass(frozen=True)
class GivenRules:
    """The rules that the settings give.

    Attributes:
        preset: of the preset; they hold beside the shop's own.
        first: of the file: all there are without a store, and with one the first that it is given.
        file: the name of that file.
    """

    preset: tuple[KeptRule, ...]
    first: tuple[KeptRule, ...]
    file: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read them.

        Raises:
            ConfigError: the file cannot be used, or holds more rules than there may be.
        """
        first = () if settings.rules is None else read_rules(settings.rules)
        if len(first) > settings.max_rules:
            raise ConfigError(
                f"at most {settings.max_rules} rules in {settings.rules}",
                f"{len(first)}",
                "remove some, or let there be more with --max-rules",
            )
        name = settings.rules.name if isinstance(settings.rules, Path) else ""
        return cls(_kept(preset_rules(settings.preset), "preset"), _kept(first, "file"), name)

    def alone(self) -> ShopRules:
        """As they are in force where nothing is known of a store."""
        return ShopRules.of((*self.preset, *self.first))

    def with_stored(self, stored: StoredTexts) -> ShopRules:
        """As they are in force beside those of the store, among which the first ones are."""
        return ShopRules.of((*self.preset, *map(KeptRule.of_store, stored.texts)), stored.version)


def body_of(rule: Rule) -> str:
    """A rule as JSON, the same text for rules that say the same."""
    return json.dumps(rule.as_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _kept(rules: Iterable[Rule], origin: Origin) -> tuple[KeptRule, ...]:
    return tuple(KeptRule(rule.id, rule, body_of(rule), origin) for rule in rules)
