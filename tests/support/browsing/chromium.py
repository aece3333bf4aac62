"""Why the tests of the dashboard cannot run, where they cannot."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.server_processes import ROOT
from tools.chromium import program

PAGE = "/ui/"
BUILT = ROOT / "serve/dashboard/static/index.html"
AXE = ROOT / "dashboard/node_modules/axe-core/axe.min.js"


def leave_out(reason: str) -> NoReturn:
    """Skip a test that cannot run here; where the dashboard must be checked, as a machine for CI may say, fail it."""
    if os.environ.get("DASHBOARD_CHECK") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def no_program() -> str | None:
    """What keeps all of these tests from running, and the remedy."""
    return None if program() else "no Chromium: install the package chromium, or name the program in CHROMIUM"


def no_page() -> str | None:
    """What keeps those from running that look at the dashboard, and the remedy."""
    return None if BUILT.is_file() else f"no built dashboard in {BUILT.parent}: make dashboard"


def axe_script() -> Path | None:
    """axe-core, which checks a page for what keeps people out; None where the dashboard's packages are not there."""
    return AXE if AXE.is_file() else None
