"""The shop's rules that are in force, made ready for the bundle that is served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from recsys.pipeline.policy import Policy
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import ContextValue


class ReadyRules(Protocol):
    """A shop's rules, made ready for one bundle; `recsys.rules.policy.CompiledRules` are some.

    Attributes:
        reads_user_id: whether any of them asks who a user is, see `Queries.ids`.
    """

    @property
    def reads_user_id(self) -> bool: ...

    @property
    def for_anyone(self) -> ReadyRules:
        """Those that need no user: without `when`, or with one that reads only the context and the time."""

    def bound(self, scenario: str | None, context: Mapping[str, ContextValue]) -> Policy | None:
        """The policy that they are for requests of that scenario and context; None: none is in force."""


class _NoRules:
    """Of a shop that has none."""

    reads_user_id = False

    @property
    def for_anyone(self) -> _NoRules:
        return self

    def bound(self, scenario: str | None, context: Mapping[str, ContextValue]) -> None:  # noqa: ARG002
        return None


class RulesInForce:
    """Which rules lists obey at the moment."""

    def of(self, loaded: LoadedBundle) -> ReadyRules:  # noqa: ARG002
        """The rules as a bundle can follow them. For any number of threads; makes them ready where they are new."""
        return _NoRules()
