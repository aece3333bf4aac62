"""Fail where the dashboard's committed files are not what its sources make: `python -m tools.dashboard_check`.

Types of the API, types and rules of the code, its unit tests, the built files byte by byte, and how much a browser
loads at first. Nobody needs Node to run or to test the server: where it is missing, or no registry gives the packages,
this says so and passes, unless DASHBOARD_CHECK=required.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import dashboard_size

SOURCES = Path("dashboard")
LOCK, INSTALLED = SOURCES / "package-lock.json", SOURCES / "node_modules/.package-lock.json"
TYPES = SOURCES / "src/api/schema.d.ts"
OLDEST_NODE = (20, 19)
REQUIRED = "required"


class CheckError(Exception):
    """Something to mend; the text says what, and how."""


def main() -> int:
    """Run every check; 1 at the first that fails."""
    try:
        missing = missing_program() or missing_packages()
        if missing:
            required = os.environ.get("DASHBOARD_CHECK") == REQUIRED
            print(f"The dashboard is {'to be' if required else 'not'} checked: {missing}.", file=sys.stderr)
            return int(required)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            compare_types(folder)
            npm("run", "check")
            compare_build(folder / "static")
            return dashboard_size.main(folder / "static")
    except CheckError as error:
        print(error, file=sys.stderr)
        return 1


def missing_program() -> str | None:
    """What is not on this machine."""
    if not shutil.which("npm") or not shutil.which("node"):
        return "node and npm are not on the PATH"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
    wanted = ".".join(map(str, OLDEST_NODE))
    return (
        None if version >= OLDEST_NODE else f"expected Node {wanted} or later, got {said.strip() or 'none that runs'}"
    )


def missing_packages() -> str | None:
    """Install the packages of the lock file where they are not those; why there are none where no registry answers.

    Raises:
        CheckError: a registry answers, and they cannot be installed.
    """
    if INSTALLED.is_file() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
        return None
    if npm_run("view", "react", "version").returncode:
        return "no registry of npm can be reached"
    npm("ci", "--no-audit", "--no-fund")
    INSTALLED.touch()
    return None


def compare_types(folder: Path) -> None:
    """The API's types are those of the server's own description.

    Raises:
        CheckError: they are not.
    """
    document, made = folder / "openapi.json", folder / TYPES.name
    subprocess.run([sys.executable, "-m", "tools.openapi_document", str(document)], check=True)
    npm("exec", "--", "openapi-typescript", str(document), "-o", str(made))
    if made.read_bytes() != TYPES.read_bytes():
        raise CheckError(f"{TYPES} is not what the API's description makes: run `make dashboard` and commit it.")


def compare_build(folder: Path) -> None:
    """The files that the server has are those that a build makes.

    Raises:
        CheckError: they are not.
    """
    npm("exec", "--", "vite", "build", "--outDir", str(folder), "--emptyOutDir", "--logLevel", "warn")
    made, committed = contents(folder), contents(dashboard_size.FOLDER)
    differing = sorted(name for name in made.keys() | committed.keys() if made.get(name) != committed.get(name))
    if differing:
        shown = ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" if len(differing) > 5 else "")
        raise CheckError(
            f"{dashboard_size.FOLDER} is not what a build makes ({shown}): run `make dashboard` and commit it."
        )


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder by their paths in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def npm(*arguments: str) -> None:
    """Run npm in the dashboard's folder; what it says goes to the terminal.

    Raises:
        CheckError: it failed.
    """
    run = npm_run(*arguments, quiet=False)
    if run.returncode:
        raise CheckError(f"`npm {' '.join(arguments)}` in {SOURCES} ended with exit code {run.returncode}.")


def npm_run(*arguments: str, quiet: bool = True) -> subprocess.CompletedProcess[str]:
    """Run npm in the dashboard's folder, however it ends."""
    program = shutil.which("npm") or "npm"
    return subprocess.run([program, *arguments], cwd=SOURCES, check=False, capture_output=quiet, text=True)


if __name__ == "__main__":
    sys.exit(main())
