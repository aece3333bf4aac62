"""The requirements files say what pyproject.toml says; `make requirements` writes them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
LINE = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+)\s+# via (?P<via>.+)")
FILES = {
    "requirements-serve.txt": ["serve"],
    "requirements.txt": ["serve", "train"],
    "requirements-dev.txt": ["dev"],
}


def pins(requirements: Iterable[str]) -> dict[str, str]:
    """Name to version of what the project asks for, with what extras of the project itself stand for."""
    return dict(_pins(requirements))


def _pins(requirements: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in requirements:
        requirement = Requirement(text)
        if requirement.name == PROJECT["project"]["name"]:
            for extra in requirement.extras:
                yield from _pins(EXTRAS[extra])
        else:
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"{text}: a direct dependency is pinned"
            yield canonicalize_name(requirement.name), specifier.version


def locked(file: str) -> list[re.Match[str]]:
    lines = [line for line in (ROOT / file).read_text("utf8").splitlines() if not line.startswith("#")]
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches, strict=True) if not match]
    return [match for match in matches if match]


@pytest.mark.parametrize("file", FILES)
def test_a_file_holds_the_direct_pins_of_its_extras(file: str) -> None:
    wanted = pins(PROJECT["project"]["dependencies"] + [line for extra in FILES[file] for line in EXTRAS[extra]])
    direct = {match["name"]: match["version"] for match in locked(file) if "recsys (pyproject.toml)" in match["via"]}
    assert direct == wanted, "run `make requirements`"


def test_the_text_encoder_is_pinned_apart() -> None:
    wanted = pins(PROJECT["dependency-groups"]["text-encoder"])
    assert {match["name"]: match["version"] for match in locked("requirements-nodeps.txt")} == wanted


def test_a_package_has_one_version_in_all_files() -> None:
    everything = {match["name"]: match["version"] for match in locked("requirements-dev.txt")}
    for file in FILES:
        for match in locked(file):
            assert everything[match["name"]] == match["version"], f"{match['name']} in {file}"


def test_the_server_is_locked_without_tensorflow() -> None:
    names = {match["name"] for match in locked("requirements-serve.txt")}
    assert names.isdisjoint({"tensorflow", "tf-keras", "pandas", "pyarrow", "scipy", "duckdb"})
