"""Compiled packages of the images find their shared libraries: with them, in the base image, or by apt-get."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

from tests.support.dockerfiles import ROOT, read_dockerfile

pytestmark = pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed (Debian: binutils)")

# What python:3.11-slim has: glibc, the libraries of the compiler (apt needs them) and zlib (dpkg does).
BASE_IMAGE = re.compile(
    r"(ld-linux.*|lib(c|m|dl|rt|pthread|util|resolv|nsl|crypt)|libgcc_s|libstdc\+\+|libz|libpython3.*)\.so\.[\d.]+"
)
OF_DEBIAN = {"libgomp1": re.compile(r"libgomp\.so\.1(\.0\.0)?")}
# Parts of packages that are tried and done without, and that nothing here asks for.
NOT_USED = re.compile(
    r"numba/np/ufunc/(tbb|omp)pool\.|implicit/gpu/_cuda\.|scann/scann_ops/cc/_scann_ops\.so|nvidia/|tensorflow/.*/gpu"
)


def compiled(requirements: str) -> dict[str, Path]:
    """The compiled files of the packages that a requirements file names, by their path below site-packages."""
    found: dict[str, Path] = {}
    for name in re.findall(r"^([\w.-]+)(?:\[.*\])?==", (ROOT / requirements).read_text("utf8"), re.MULTILINE):
        try:
            listed = files(name) or []
        except PackageNotFoundError:  # of another platform or version of Python
            continue
        found |= {str(file): Path(str(file.locate())) for file in listed if re.search(r"\.so(\.[\d.]+)?$", file.name)}
    return {path: file for path, file in found.items() if file.is_file()}


def needed(paths: dict[str, Path]) -> dict[str, set[str]]:
    """What each file asks the loader for."""
    names = {str(file): path for path, file in paths.items()}
    command = ["readelf", "--dynamic", "--wide", *names]
    printed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    found: dict[str, set[str]] = {}
    for part in re.split(r"^File: ", printed, flags=re.MULTILINE)[1:]:
        found[names[part.splitlines()[0]]] = set(re.findall(r"\(NEEDED\).*\[(.+)\]", part))
    return found


def installed(stage: str) -> set[str]:
    """Debian's packages that a stage of the Dockerfile installs."""
    _, stages = read_dockerfile()
    runs = " ".join(run.value for run in stages[stage].named("RUN"))
    return {package for package in OF_DEBIAN if re.search(rf"apt-get install .*\b{package}\b", runs)}


def missing(requirements: str, packages: set[str]) -> dict[str, set[str]]:
    paths = compiled(requirements)
    assert len(paths) > 50
    beside = {file.name for file in paths.values()}
    found: dict[str, set[str]] = {}
    for path, libraries in needed(paths).items():
        for library in libraries - beside:
            there = BASE_IMAGE.fullmatch(library) or any(OF_DEBIAN[name].fullmatch(library) for name in packages)
            if not there and not NOT_USED.search(path):
                found.setdefault(library, set()).add(path.split("/")[0])
    return found


@pytest.mark.parametrize(
    ("stage", "requirements"), [("serve", "requirements-serve.txt"), ("train", "requirements.txt")]
)
def test_the_images_have_the_libraries_that_their_packages_need(stage: str, requirements: str) -> None:
    assert missing(requirements, installed(stage)) == {}


def test_a_library_that_is_not_installed_would_be_found() -> None:
    assert missing("requirements.txt", set()) == {"libgomp.so.1": {"implicit"}}
