"""The browser that pictures, measurements and tests of the dashboard are made with."""

from __future__ import annotations

import os
import shutil

from recsys.core.errors import RecsysError

PLACES = ("chromium", "chromium-browser", "/usr/bin/chromium", "/usr/bin/chromium-browser")


def program() -> str | None:
    """The one that CHROMIUM names, else Debian's or Ubuntu's; None where there is none."""
    named = os.environ.get("CHROMIUM")
    places = (named,) if named else PLACES
    return next((found for place in places if (found := shutil.which(place))), None)


def needed_program() -> str:
    """The same.

    Raises:
        RecsysError: there is none.
    """
    found = program()
    if found is None:
        raise RecsysError("Chromium", "none", "install the package chromium, or name the program in CHROMIUM")
    return found
