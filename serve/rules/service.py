"""The shop's rules as the store keeps them and the bundle of the moment follows them, without HTTP."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from recsys.core.queries import Queries
from recsys.rules.findings import Case, findings
from recsys.rules.policy import CompiledRules, fault_of
from recsys.rules.rule import Rule
from recsys.store import Store
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import DEFAULT_K
from serve.errors import UnfitRequestError, UnknownRuleError
from serve.parts import Parts
from serve.rules.answers import (
    ChangedRuleResponse,
    DeletedRuleResponse,
    RuleChangeRow,
    RuleChangesResponse,
    RuleFinding,
    RuleResponse,
    RuleRow,
    RulesResponse,
    RuleState,
    findings_of,
)
from serve.shop_rules.kept_rules import KeptRule, body_of
from serve.times import time_text

logger = logging.getLogger(__name__)


def rules(parts: Parts, loaded: LoadedBundle) -> RulesResponse:
    """All rules."""
    kept, compiled, now = parts.rules.rules, parts.rules.of(loaded), datetime.now(UTC)
    return RulesResponse(
        bundle=loaded.info,
        version=kept.version,
        source=parts.rules.state,
        rules=[_row(one, compiled, now) for one in kept.rules],
    )


def rule(parts: Parts, loaded: LoadedBundle, rule_id: str) -> RuleResponse:
    """One of them.

    Raises:
        UnknownRuleError: there is none of that id.
    """
    kept = parts.rules.rules
    found = kept.find(rule_id)
    if found is None:
        raise UnknownRuleError(f"there is no rule {rule_id!r}")
    row = _row(found, parts.rules.of(loaded), datetime.now(UTC))
    return RuleResponse(bundle=loaded.info, version=kept.version, rule=row)


def put(
    parts: Parts, loaded: LoadedBundle, store: Store, wanted: Rule, who: str | None, expected: int | None
) -> ChangedRuleResponse:
    """Keep a rule, and go by it.

    Args:
        parts, loaded, store: of the moment.
        wanted: the rule.
        who: name of whoever wants it.
        expected: version that it must be of; see `recsys.store.rules.Rules.put`.

    Raises:
        UnfitRequestError: the bundle cannot follow it; one that there is can be switched off all the same.
        TextConflict: it is not of the expected version, or there are too many.
        StoreUnavailable: nothing is known of what became of it.
    """
    switched_off = not wanted.enabled and parts.rules.rules.find(wanted.id) is not None
    fault = None if switched_off else fault_of(wanted, loaded.rule_base)
    if fault is not None:
        raise UnfitRequestError(str(fault))
    most = parts.settings.max_rules
    kept, action = store.rules.put(
        wanted.id, body_of(wanted), who=who, timestamp=time.time(), expected=expected, most=most
    )
    _follow(parts, wanted.id, action, who)
    row = _row(KeptRule.of_store(kept), parts.rules.of(loaded), datetime.now(UTC))
    return ChangedRuleResponse(
        bundle=loaded.info,
        version=parts.rules.rules.version,
        done=action or "nothing",
        rule=row,
        findings=_findings(parts, loaded, wanted),
    )


def delete(parts: Parts, store: Store, rule_id: str, who: str | None, expected: int | None) -> DeletedRuleResponse:
    """Remove a rule; arguments and errors as of `put`.

    Raises:
        UnknownRuleError: the store holds none of that id.
    """
    gone = store.rules.delete(rule_id, who=who, timestamp=time.time(), expected=expected)
    if gone is None:
        known = parts.rules.rules.find(rule_id)
        if known is not None and known.origin == "preset":
            raise UnknownRuleError(
                f"the rule {rule_id!r} is of the preset: put one of this id with enabled false, or set another preset"
            )
        raise UnknownRuleError(f"there is no rule {rule_id!r}")
    _follow(parts, rule_id, "deleted", who)
    return DeletedRuleResponse(id=rule_id, version=parts.rules.rules.version)


def changes(store: Store, rule_id: str | None, cursor: str | None, limit: int) -> RuleChangesResponse:
    """A page of the trail of changes.

    Raises:
        InvalidCursor: it is none of this listing.
    """
    page = store.rules.changes(rule_id, cursor, limit)
    return RuleChangesResponse(
        changes=[
            RuleChangeRow(
                version=change.version,
                rule_id=change.key,
                action=change.action,
                who=change.who,
                at=time_text(change.timestamp),
                before=None if change.before is None else _terms(change.before),
                after=None if change.after is None else _terms(change.after),
            )
            for change in page.rows
        ],
        next_cursor=page.next_cursor,
    )


def _follow(parts: Parts, rule_id: str, action: str | None, who: str | None) -> None:
    """Go by a change that was just made."""
    if action is not None:
        parts.metrics.rule_changed(action)
        logger.info("Rule %s was %s by %s", rule_id, action, who or "nobody known")
    if parts.rules_watch is not None:
        parts.rules_watch.look()


def _findings(parts: Parts, loaded: LoadedBundle, rule: Rule) -> list[RuleFinding]:
    """What is wrong with a rule among the others, whoever the list is for."""
    nobody = replace(Queries.nobody(), now=np.array([time.time()], np.int64))
    case = Case(
        parts.rules.rules.readable,
        parts.rules.of(loaded),
        nobody,
        DEFAULT_K,
        scenario=rule.scenario,
        context={},
        about=rule.id,
    )
    return findings_of([one for one in findings(case) if not one.of_sample])


def _row(kept: KeptRule, compiled: CompiledRules, now: datetime) -> RuleRow:
    fault = compiled.faults.get(kept.id)
    said = kept.fault if fault is None else str(fault)
    stored = kept.stored
    return RuleRow(
        id=kept.id,
        terms=_terms(kept.body),
        state=_state(kept.rule, said, now),
        fault=said,
        origin=kept.origin,
        version=None if stored is None else stored.version,
        updated_at=None if stored is None else time_text(stored.updated_at),
        updated_by=None if stored is None else stored.updated_by,
    )


def _state(rule: Rule | None, fault: str | None, now: datetime) -> RuleState:
    if fault is not None or rule is None:
        return "fault"
    if not rule.enabled:
        return "disabled"
    if rule.valid_to is not None and now >= rule.valid_to:
        return "expired"
    return "active" if rule.valid_at(now) else "not_yet"


def _terms(body: str) -> dict[str, Any]:
    """What a rule says, without its id."""
    said: dict[str, Any] = json.loads(body)
    said.pop("id", None)
    return said
