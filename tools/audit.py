"""Fail where a pinned package has a known vulnerability: `python -m tools.audit requirements-dev.txt [IGNORED_ID...]`.

pip-audit asks the package index. One that gives no answers, a mirror without them or no network at all, is told of and
is no failure: whoever builds behind such a mirror could not change it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_S = 300
# In pip-audit's last words where the network failed, not pip-audit.
_UNREACHABLE = ("requests.exceptions.", "Could not connect", "PyPI is not redirecting")


@dataclass(frozen=True)
class Audit:
    """What the index knows of the packages: `vulnerable` lines to act on, names of those it says nothing of."""

    audited: int
    unknown: list[str]
    vulnerable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, document: dict[str, Any], ignored: frozenset[str]) -> Audit:
        """Read pip-audit's JSON; a vulnerability counts unless its id or an alias of it is `ignored`."""
        audited = [package for package in document["dependencies"] if "skip_reason" not in package]
        return cls(
            audited=len(audited),
            unknown=[package["name"] for package in document["dependencies"] if "skip_reason" in package],
            vulnerable=[
                f"{package['name']} {package['version']}: {vulnerability['id']}, "
                f"mended in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
                for package in audited
                for vulnerability in package["vulns"]
                if ignored.isdisjoint({vulnerability["id"], *vulnerability["aliases"]})
            ],
        )


def main(requirements: str, *ignored: str) -> int:
    """Print what was found; 1 if there is something to act on."""
    command = [sys.executable, "-m", "pip_audit", "-r", requirements, "--no-deps", "--disable-pip"]
    options = ["--format", "json", "--progress-spinner", "off"]
    try:
        run = subprocess.run(command + options, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        print(f"Not audited: no answer from the package index within {TIMEOUT_S} s.")
        return 0
    if not run.stdout:
        last_words = run.stderr.strip().rpartition("\n")[2]
        if any(sign in last_words for sign in _UNREACHABLE):
            print(f"Not audited: the package index cannot be reached ({last_words[:200]}).")
            return 0
        print(f"pip-audit failed: {run.stderr.strip()}", file=sys.stderr)
        return 1
    audit = Audit.of(json.loads(run.stdout), frozenset(ignored))
    if audit.vulnerable:
        print("\n".join(["Packages with known vulnerabilities:", *audit.vulnerable]), file=sys.stderr)
        print("Raise the pins in pyproject.toml and run `make requirements`.", file=sys.stderr)
        return 1
    print(f"{audit.audited} packages without known vulnerabilities.")
    if audit.unknown:
        print(f"Not audited, since the index says nothing of them: {len(audit.unknown)} packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
