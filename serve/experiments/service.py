"""The shop's experiments as the store keeps them and workers go by them, without HTTP."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from recsys.experiments.assignment import layer_bucket
from recsys.experiments.experiment import Experiment, ExperimentTerms
from recsys.experiments.lifecycle import (
    ExperimentConflict,
    assign_alike,
    defined,
    require_not_running,
    started,
    stopped,
)
from recsys.store import Store, StoredText
from serve.errors import UnknownExperimentError
from serve.experiments.answers import (
    AssignmentResponse,
    ChangedExperimentResponse,
    DeletedExperimentResponse,
    ExperimentChangeRow,
    ExperimentChangesResponse,
    ExperimentResponse,
    ExperimentRow,
    ExperimentsResponse,
)
from serve.experiments.readiness import require_deliverable
from serve.parts import Parts
from serve.times import time_text
from serve.variants.running import KeptExperiment

logger = logging.getLogger(__name__)

Change = Callable[[Experiment | None, list[Experiment]], Experiment]
"""From an experiment and all others to what it is from now on."""


def experiments(parts: Parts) -> ExperimentsResponse:
    """All experiments, as this worker knows them."""
    now = parts.experiments.now
    return ExperimentsResponse(
        version=now.version, source=parts.experiments.state, experiments=[row_of(one) for one in now.kept]
    )


def experiment(parts: Parts, key: str) -> ExperimentResponse:
    """One of them.

    Raises:
        UnknownExperimentError: there is none of that key.
    """
    return ExperimentResponse(version=parts.experiments.now.version, experiment=row_of(found(parts, key)))


def put(
    parts: Parts, store: Store, key: str, terms: ExperimentTerms, who: str | None, expected: int | None
) -> ChangedExperimentResponse:
    """Keep an experiment; one that is running goes on as what is wanted.

    Args:
        parts, store: of the moment.
        key: of the experiment.
        terms: what it is to be.
        who: name of whoever wants it.
        expected: number of the change that it must be of; see `recsys.store.kept_texts.KeptTexts.put`.

    Raises:
        ExperimentConflict: it is running, and cannot be as is wanted.
        TextConflict: it is not of the expected version, or there are too many.
        StoreUnavailable: nothing is known of what became of it.
    """
    now = time.time()
    known = next((one for one in parts.experiments.now.experiments if one.key == key), None)
    checked = known is not None and not assign_alike(known, terms)
    if checked:
        require_deliverable(parts, Experiment(key=key, **dict(terms)))
    last_version = _last_version(store, key)

    def change(before: Experiment | None, others: list[Experiment]) -> Experiment:
        after = defined(key, terms, before, others, now, last_version=last_version)
        if after.status == "running" and not checked and before is not None and not assign_alike(before, after):
            raise ExperimentConflict("an experiment as this worker knows it", "one that was just changed", "try again")
        return after

    return _changed(parts, store, key, change, who, expected, now=now, creates=True)


def start(parts: Parts, store: Store, key: str, who: str | None, expected: int | None) -> ChangedExperimentResponse:
    """Let users be in an experiment from now on; arguments and errors as of `put`.

    Raises:
        UnknownExperimentError: there is none of that key.
    """
    now = time.time()
    read = KeptExperiment.of(_stored(store, key))
    if read.experiment is not None and read.experiment.status != "running":
        require_deliverable(parts, read.experiment)

    def change(before: Experiment | None, others: list[Experiment]) -> Experiment:
        wanted = _existing(before, key)
        if read.experiment is None or wanted.variants != read.experiment.variants:
            raise ExperimentConflict("an experiment that stays as it is", "one that was just changed", "try again")
        return started(wanted, others, now)

    return _changed(parts, store, key, change, who, expected, now=now, done="started")


def stop(parts: Parts, store: Store, key: str, who: str | None, expected: int | None) -> ChangedExperimentResponse:
    """Let nobody be in an experiment any more; arguments and errors as of `start`."""
    now = time.time()

    def change(before: Experiment | None, others: list[Experiment]) -> Experiment:
        del others
        return stopped(_existing(before, key), now)

    return _changed(parts, store, key, change, who, expected, now=now, done="stopped")


def delete(parts: Parts, store: Store, key: str, who: str | None, expected: int | None) -> DeletedExperimentResponse:
    """Remove an experiment that is not running; arguments and errors as of `start`."""

    def check(stored: StoredText) -> None:
        kept = KeptExperiment.of(stored)
        if kept.experiment is not None:
            require_not_running(kept.experiment)

    gone = store.experiments.delete(key, who=who, timestamp=time.time(), expected=expected, check=check)
    if gone is None:
        raise UnknownExperimentError(f"there is no experiment {key!r}")
    _follow(parts, key, "deleted", who)
    return DeletedExperimentResponse(key=key, version=parts.experiments.now.version)


def changes(store: Store, key: str, cursor: str | None, limit: int) -> ExperimentChangesResponse:
    """A page of the trail of changes of an experiment, which may be no more.

    Raises:
        InvalidCursor: it is none of this listing.
    """
    page = store.experiments.changes(key, cursor, limit)
    return ExperimentChangesResponse(
        changes=[
            ExperimentChangeRow(
                change=change.version,
                action=change.action,
                who=change.who,
                at=time_text(change.timestamp),
                before=None if change.before is None else json.loads(change.before),
                after=None if change.after is None else json.loads(change.after),
            )
            for change in page.rows
        ],
        next_cursor=page.next_cursor,
    )


def assignment(parts: Parts, key: str, user_id: str) -> AssignmentResponse:
    """What an experiment gives to a user, and why.

    Raises:
        UnknownExperimentError: there is none of that key.
        ExperimentConflict: it cannot be read.
    """
    kept = found(parts, key)
    if kept.experiment is None:
        raise ExperimentConflict("an experiment that this version of the program can read", str(kept.fault), "PUT it")
    one, now = kept.experiment, parts.experiments.now
    unit = now.unit_of(key, user_id)
    variant: str | None = None
    reason: Literal["assigned", "not_running", "other_bucket", "interleaved"] = "not_running"
    if one.status == "running":
        given = next((given for given in now.assigned(user_id) if given.experiment.key == key), None)
        reason = "other_bucket" if given is None else "interleaved" if one.mode == "interleaved" else "assigned"
        variant = given.variant.name if given is not None and reason == "assigned" else None
    return AssignmentResponse(
        key=key,
        version=one.version,
        user_id=user_id,
        unit=unit,
        bucket=layer_bucket(one.layer, unit),
        variant=variant,
        reason=reason,
    )


def found(parts: Parts, key: str) -> KeptExperiment:
    """An experiment as this worker knows it.

    Raises:
        UnknownExperimentError: there is none of that key.
    """
    kept = parts.experiments.now.find(key)
    if kept is None:
        raise UnknownExperimentError(f"there is no experiment {key!r}")
    return kept


def row_of(kept: KeptExperiment) -> ExperimentRow:
    """An experiment as answers show it."""
    one, stored = kept.experiment, kept.stored
    return ExperimentRow(
        key=kept.key,
        terms=_raw(stored.body) if one is None else one.terms.model_dump(mode="json", exclude_none=True),
        status="fault" if one is None else one.status,
        fault=kept.fault,
        version=0 if one is None else one.version,
        first_bucket=0 if one is None else one.first_bucket,
        end_bucket=0 if one is None else one.end_bucket,
        started_at=None if one is None else time_text(one.started_at),
        stopped_at=None if one is None else time_text(one.stopped_at),
        change=stored.version,
        updated_at=time_text(stored.updated_at),
        updated_by=stored.updated_by,
    )


def _changed(
    parts: Parts,
    store: Store,
    key: str,
    change: Change,
    who: str | None,
    expected: int | None,
    *,
    now: float,
    done: Literal["started", "stopped"] | None = None,
    creates: bool = False,
) -> ChangedExperimentResponse:
    """Change an experiment while nobody else changes one, and go by it."""
    if not creates:
        _stored(store, key)

    def body(texts: Mapping[str, StoredText]) -> str:
        kept = {name: KeptExperiment.of(text).experiment for name, text in texts.items()}
        others = [one for name, one in kept.items() if name != key and one is not None]
        return body_of(change(kept.get(key), others))

    most = parts.settings.max_experiments
    stored, action = store.experiments.revise(key, body, who=who, timestamp=now, expected=expected, most=most)
    said = done or action or "nothing"
    _follow(parts, key, said, who)
    return ChangedExperimentResponse(
        version=parts.experiments.now.version, done=said, experiment=row_of(KeptExperiment.of(stored))
    )


def body_of(one: Experiment) -> str:
    """An experiment as it is kept: in full, so that it stays what it is where defaults of another version differ."""
    said = one.model_dump(mode="json")
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _stored(store: Store, key: str) -> StoredText:
    stored = next((text for text in store.experiments.read().texts if text.key == key), None)
    if stored is None:
        raise UnknownExperimentError(f"there is no experiment {key!r}")
    return stored


def _last_version(store: Store, key: str) -> int:
    """The last version of a key that was started, as the trail of changes knows it; 0: none was."""
    latest = store.experiments.changes(key, None, 1).rows
    said = _raw(latest[0].after or latest[0].before or "") if latest else {}
    version = said.get("version")
    if type(version) is not int or version < 1:
        return 0
    return version if said.get("started_at") is not None else version - 1


def _existing(before: Experiment | None, key: str) -> Experiment:
    if before is None:
        raise ExperimentConflict(
            "an experiment that this version of the program can read", f"{key!r}, which it cannot", "PUT it anew"
        )
    return before


def _raw(body: str) -> dict[str, Any]:
    """What an experiment says that cannot be read."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}


def _follow(parts: Parts, key: str, action: str, who: str | None) -> None:
    """Go by a change that was just made."""
    if action != "nothing":
        parts.metrics.experiment_changed(action)
        logger.info("Experiment %s was %s by %s", key, action, who or "nobody known")
    if parts.experiments_watch is not None:
        parts.experiments_watch.look()
