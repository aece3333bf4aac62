"""The whole of an inspection: look at files, propose a config, try it, and show all of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from recsys.core.errors import ConfigError
from recsys.inspect.facts import facts_of
from recsys.inspect.proposal import CATALOGUES, LOGS, Proposal, propose
from recsys.inspect.tables import Table, look_at
from recsys.inspect.trial import try_out
from recsys.inspect.view import console_for, show_proposal, show_table, show_trial
from recsys.prepare.input_files import find_files

MANY = 4  # files of one glob or folder, from which on some stand for all
USED_KINDS = (*LOGS, *CATALOGUES, "property log", "users")


def inspect(files: Sequence[Path], output: Path | None = None, console: Console | None = None) -> Proposal | None:
    """Print what files seem to be, and a config that reads them.

    Args:
        files: paths, globs and folders.
        output: where to write the config, if anywhere.
        console: where to print.

    Returns:
        The proposal; None where no file is one that a config can name.

    Raises:
        DataError: there is no such file.
        ConfigError: `output` exists.
    """
    if output is not None and output.exists():
        raise ConfigError(f"no file yet at {output}", "one that exists", "name another file, or move that one away")
    console = console_for(console)
    tables = [table for entry in files for table in _tables_of(entry)]
    catalogues = [table for table in tables if table.kind in CATALOGUES]
    for table in tables:
        show_table(console, table, list(facts_of(table, catalogues)) if table.kind in LOGS else [])
    if not any(table.kind in (*USED_KINDS, "schema") or table.columns for table in tables):
        return None
    proposal = propose(tables)
    if output is not None:
        output.write_text(proposal.text, "utf8")
    show_proposal(console, proposal, output)
    if proposal.has_log and all(table.kind != "store" for table in tables):  # a store has no head to be tried
        show_trial(console, try_out(proposal, tables), str(output or "FILE.yaml"))
    return proposal


def _tables_of(entry: Path) -> list[Table]:
    """What an entry of the command line names: a file, or the first of many alike that a glob or a folder leads to."""
    paths = [path for path, _ in find_files([entry], "the command line").paths]
    if len(paths) < MANY:
        return [look_at(path) for path in paths]
    seen = [look_at(paths[position]) for position in (0, len(paths) // 2, -1)]
    first = seen[0]
    alike = len({(table.kind, *(column.name for column in table.columns)) for table in seen}) == 1
    if first.sample is None or not alike:
        return [look_at(path) for path in paths]
    size = sum(path.stat().st_size for path in paths) / 1e6
    first.sample.notes.append(
        f"The first of {len(paths):,} files ({size:,.1f} MB); one in the middle and the last have the same columns."
    )
    first.path = entry
    return [first]
