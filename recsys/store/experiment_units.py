"""Who is assigned by another id than the own: an experiment goes on as it began when an anonymous user logs in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from recsys.store.records import mark_of
from recsys.store.tables import EXPERIMENT_UNITS, EXPERIMENTS_VERSION, SERVED

Units = Mapping[str, str]
"""By user id, the id that an experiment assigns the user by."""
_EU, _S, _V = EXPERIMENT_UNITS.c, SERVED.c, EXPERIMENTS_VERSION.c


def follow(connection: sa.Connection, before: Mapping[str, Units], since: int, now: int) -> Mapping[str, Units]:
    """All units, by experiment, of which those of the change `since` are known.

    A row that was removed leaves no trace, so what is known is only added to where the count says that it can be: all
    that the store holds is then among what is known and what is new.
    """
    if 0 < since < now:
        found = _merged(before, connection.execute(sa.select(EXPERIMENT_UNITS).where(_EU.version > since)).all())
        count = connection.execute(sa.select(sa.func.count()).select_from(EXPERIMENT_UNITS)).scalar_one()
        if sum(map(len, found.values())) == count:
            return found
    return _merged({}, connection.execute(sa.select(EXPERIMENT_UNITS)).all())


def keep_first(
    connection: sa.Connection, running: Mapping[str, int], layers: Mapping[str, str], user_id: str, from_id: str
) -> None:
    """Let a user whom an id is merged into stay with the variants that came first, in each layer of experiments.

    Whichever of the two was served a list of the layer first goes on to name the unit, of all its experiments: by one
    id here and the other there, the user would be in two experiments that are to have different users. Where the log
    holds no list of either, that is the merged id: lists are logged some seconds after they are served, and a list that
    is on its way is more likely that of the session which has just logged in. Call it before the served lists are
    moved.

    Args:
        connection: of a transaction, in which nobody else merges or forgets.
        running: version of each running experiment, by key.
        layers: of these, by key; one that is left out shares its users with no other.
        user_id: the user's.
        from_id: the id that is merged into it.
    """
    if not running:
        return
    of_layers: dict[str, dict[str, int]] = {}
    for key, version in sorted(running.items()):
        of_layers.setdefault(layers.get(key, key), {})[key] = version
    both = sa.select(EXPERIMENT_UNITS).where(_EU.user_id.in_([user_id, from_id]))
    units = {(row.experiment, row.user_id): row.unit for row in connection.execute(both)}
    changed = {}
    for versions in of_layers.values():
        coming = {key: units.get((key, from_id), from_id) for key in versions}
        others = {key: unit for key, unit in coming.items() if unit != units.get((key, user_id), user_id)}
        if others and _is_first(connection, versions, from_id, user_id):
            changed.update(others)
    if not changed:
        return
    version = _counted(connection)
    old = _EU.user_id == user_id, _EU.experiment.in_(list(changed))
    connection.execute(sa.delete(EXPERIMENT_UNITS).where(*old))
    rows = [{"experiment": key, "user_id": user_id, "unit": unit, "version": version} for key, unit in changed.items()]
    connection.execute(sa.insert(EXPERIMENT_UNITS), rows)


def forget(connection: sa.Connection, user_ids: Sequence[str]) -> int:
    """Remove the units of users who are forgotten; returns of how many experiments."""
    removed = connection.execute(sa.delete(EXPERIMENT_UNITS).where(_EU.user_id.in_(user_ids))).rowcount
    if removed:
        _counted(connection)
    return removed


def remove_all(connection: sa.Connection, experiment: str) -> None:
    """Remove the units of an experiment that is deleted."""
    connection.execute(sa.delete(EXPERIMENT_UNITS).where(_EU.experiment == experiment))


def units_of(connection: sa.Connection, user_id: str) -> dict[str, str]:
    """The units of a user, by experiment."""
    rows = connection.execute(sa.select(EXPERIMENT_UNITS).where(_EU.user_id == user_id).order_by(_EU.experiment))
    return {row.experiment: row.unit for row in rows}


def _merged(before: Mapping[str, Units], rows: Iterable[Sequence[Any]]) -> dict[str, Units]:
    """Both together; what is known of experiments without new rows is shared, since there may be many users."""
    new: dict[str, dict[str, str]] = {}
    for experiment, user_id, unit, _ in rows:
        new.setdefault(experiment, {})[user_id] = unit
    return {**before, **{key: {**before.get(key, {}), **units} for key, units in new.items()}}


def _is_first(connection: sa.Connection, versions: Mapping[str, int], from_id: str, user_id: str) -> bool:
    """Whether the merged id was served a list of experiments before the user was, as far as the log knows."""
    user = _first_served(connection, versions, user_id)
    if user is None:
        return True
    other = _first_served(connection, versions, from_id)
    return other is not None and other < user


def _first_served(connection: sa.Connection, versions: Mapping[str, int], user_id: str) -> float | None:
    """When an id was first served a list of any of some experiments, in seconds since 1970."""
    of_them = [  # LIKE of SQLite ignores case
        sa.func.replace(_S.details, mark_of(key, version), "") != _S.details for key, version in versions.items()
    ]
    statement = sa.select(_S.timestamp).where(_S.user_id == user_id, sa.or_(*of_them)).order_by(_S.seq).limit(1)
    return connection.execute(statement).scalar()


def _counted(connection: sa.Connection) -> int:
    """Count a change of units, and keep others from making one; its number."""
    version = int(connection.execute(sa.select(_V.version).with_for_update()).scalar_one()) + 1
    connection.execute(sa.update(EXPERIMENTS_VERSION).values(version=version))
    return version
