"""The evaluation of the bundle that answers: the page that `evaluate.py` wrote of this very version."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from serve.bundles.info import BundleInfo
from serve.errors import NoReportError

FOLDER: Final = Path("data/reports")  # of `evaluation.report_dir`
FILE: Final = "report.html"
# The page loads nothing and runs nothing; its charts are drawn in it, with styles of their own.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

_HEAD_BYTES = 4096
_OF_BUNDLE = re.compile(rb'<meta name="bundle-version" content="([^"]{1,200})">')


def page(given: Path | None, bundle: BundleInfo) -> bytes:
    """The page of the bundle's evaluation, in HTML.

    Args:
        given: the page or its folder; None: where `evaluate.py` writes it unless told otherwise.
        bundle: that answers.

    Raises:
        NoReportError: there is none, or it is of another version.
    """
    place = FOLDER / bundle.name if given is None else given
    file = place / FILE if place.is_dir() else place
    remedy = "run evaluate.py on it, and name the folder of its report with the setting report"
    try:
        content = file.read_bytes() if file.is_file() else b""
    except OSError:
        content = b""
    found = _OF_BUNDLE.search(content, 0, _HEAD_BYTES)
    if found is None:
        raise NoReportError(f"there is no report of the bundle that answers, {bundle.name} {bundle.version}: {remedy}")
    version = found[1].decode("utf8", "replace")
    if version != bundle.version:
        raise NoReportError(f"the report is of version {version}, and {bundle.version} answers: {remedy}")
    return content
