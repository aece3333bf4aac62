"""Raw data to a prepared dataset: read, filter, split, write (`schema` describes the result).

    inputs of interactions ─ format, in a thread ─► raw ─► each event once ─► filters, k-core ─► split
    inputs of metadata ─ format, in a thread ─► records of the items that are left, cleaned ─► metadata

A format (`formats`) checks and reads inputs, the engine (`engine`) holds the tables. Equal input and settings give
equal bytes: nothing of the clock or the machine is written.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console

from recsys.core.persons import Persons
from recsys.prepare import columns as c
from recsys.prepare.attribute_settings import types_of
from recsys.prepare.dataset_warnings import find_warnings
from recsys.prepare.engine import cold_items, dataset_files, filters, item_metadata, splits
from recsys.prepare.engine.cycles import find_cycles
from recsys.prepare.engine.persons import apply_persons
from recsys.prepare.engine.repeated_events import RepeatedEvents, drop_repeated_events
from recsys.prepare.engine.repeats import merge_repeats
from recsys.prepare.engine.resources import resource_errors
from recsys.prepare.engine.staging import Database
from recsys.prepare.engine.told import Told
from recsys.prepare.engines import load_engine
from recsys.prepare.inputs import Inputs, open_inputs
from recsys.prepare.known_items import KnownItems
from recsys.prepare.known_users import FORGOTTEN_USER, KnownUsers
from recsys.prepare.live_changes import live_changes
from recsys.prepare.loading import load_metadata, load_properties, metadata_entry
from recsys.prepare.mapping_use import require_used
from recsys.prepare.output import replaced_folder, upload
from recsys.prepare.schema import SCHEMA_VERSION, attribute_fields, user_attribute_fields
from recsys.prepare.settings import DataConfig, PreparationConfig
from recsys.prepare.terminal import StageProgress, inputs_shown_on_error, print_report

REPEATED_EVENT = "repeated_event"


def prepare(config: PreparationConfig, console: Console | None = None) -> Path:
    """Write the prepared dataset `config.prepared_path` and print what was dropped and why.

    The folder appears whole or not at all; an older one stays until the new one is complete.

    Returns:
        The folder.

    Raises:
        DataError: a file is missing, empty, damaged, of another format or has too many bad lines; nothing is left
            after filtering; the disk is full; memory does not suffice.
    """
    console = console or Console()
    data, target = config.data, config.prepared_path
    inputs, engine = open_inputs(data), load_engine(data.engine)
    engine.check(inputs, data)
    # The first lines of all inputs are checked before hours go into reading the first input.
    for each in inputs.all:
        each.check()
    require_used(data, [log.report for log in inputs.interactions], is_read=False)
    with resource_errors(data, target), replaced_folder(target) as folder:
        spill = folder / "spill"
        with (
            inputs_shown_on_error(console, config.name, lambda: [log.to_manifest() for log in inputs.interactions]),
            closing(engine.connect(data, spill)) as db,
            StageProgress(console) as progress,
        ):
            told_items, told_users = Told(db, "item"), Told(db, "user")
            engine.load_interactions(db, inputs.interactions, told_items, told_users, data, progress)
            require_used(data, [log.report for log in inputs.interactions], is_read=True)
            changes = live_changes(inputs)
            inputs.notes += load_properties(inputs.properties, told_items, len(inputs.interactions), data, progress)
            with progress.stage("Filtering"):
                filtered, repeated, of_aliases = _filter(db, inputs, changes.persons, data)
            known_items = KnownItems(db, told_items, changes.items, data, inputs.interactions[0])
            attributes = attribute_fields(types_of(known_items.attributes))
            known_users = KnownUsers(db, told_users, changes, data, inputs.interactions[0])
            user_counts = known_users.load(inputs.users, progress)
            record_counts = load_metadata(db, inputs.metadata, known_items, data, progress)
            with progress.stage("Splitting"):
                split, with_cycles = _split(db, config, filtered)
            with progress.stage("Writing"):
                dataset_files.write_interactions(
                    db,
                    folder / c.INTERACTIONS_FILE,
                    with_purchases=inputs.has_purchases,
                    with_counts=data.repeats == "count",
                )
                dataset_files.write_users(db, folder / c.USERS_FILE, user_attribute_fields(data.user_attributes))
                dataset_files.write_items(db, folder / c.ITEMS_FILE, attributes, with_cycles=with_cycles)
            summary = splits.summary(db)
            known = item_metadata.count_known(db, attributes)
            warnings = find_warnings(
                db, inputs, repeated, filtered, summary["counts"], record_counts, known, user_counts
            )
        shutil.rmtree(spill, ignore_errors=True)
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "name": config.name,
            "synthetic": config.synthetic,
            "sources": [each.to_manifest() for each in inputs.all],
            "interactions": filtered.to_manifest(),
            "metadata": metadata_entry(inputs.metadata, record_counts, known),
            **split,
            **user_counts.to_manifest(),
            **changes.to_manifest(),
            **of_aliases,
            **summary,
            "warnings": warnings,
            "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
            "config": {"name": config.name, "synthetic": config.synthetic, "data": data.model_dump(mode="json")},
        }
        # Written last, so that a folder with a manifest is a whole dataset.
        (folder / c.MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n", "utf8")
    if data.upload_to:
        upload(target, f"{data.upload_to.rstrip('/')}/{config.name}", c.MANIFEST_FILE)
    print_report(console, manifest, target)
    return target


def _filter(
    db: Database, inputs: Inputs, persons: Sequence[Persons], data: DataConfig
) -> tuple[filters.FilterReport, RepeatedEvents, dict[str, int]]:
    """Leave in tables `interactions`, `users` and `items` what the dataset has; the last is for the manifest."""
    counted = apply_persons(db, persons)
    repeated = drop_repeated_events(db, [log.tally.time_range for log in inputs.interactions])
    filtered = filters.filter_interactions(db, data)
    _count_before(filtered, REPEATED_EVENT, repeated.of_inputs.total())
    _count_before(filtered, FORGOTTEN_USER, counted.forgotten)
    filters.number_rows(db)
    return filtered, repeated, {"events_of_aliases": counted.aliased} if counted.aliased else {}


def _count_before(filtered: filters.FilterReport, cause: str, count: int) -> None:
    """Enter the events that were dropped before the filters."""
    if count:
        filtered.read += count
        filtered.dropped = {cause: count, **filtered.dropped}


def _split(db: Database, config: PreparationConfig, filtered: filters.FilterReport) -> tuple[dict[str, Any], bool]:
    """Split the interactions; the manifest's entries, and whether items have cycles."""
    split = splits.split_interactions(db, config.data.split)
    filtered.dropped |= merge_repeats(db, config.data.repeats)
    cold = _hold_out_items(db, config, filtered)
    end = split.get("validation_from")
    cycles = find_cycles(db, config.data.repurchase_users, end, cold_items=bool(cold))
    return {"split": split, **cold, **cycles.to_manifest()}, cycles.any


def _hold_out_items(db: Database, config: PreparationConfig, filtered: filters.FilterReport) -> dict[str, Any]:
    """Hold out cold items if the config asks for any; returns the manifest's entry on them."""
    share = config.data.split.cold_items_share
    if not share:
        return {}
    entry = cold_items.hold_out_items(db, share, config.seed)
    filtered.dropped["cold_item_held_out"] = entry["interactions_removed"]
    return {"cold_items": entry}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
