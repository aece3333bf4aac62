"""The package as it is installed: built as a wheel, in an environment of its own, run far from any checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

import recsys
from tests.support.bundles import make_bundle
from tests.support.server_processes import ROOT, get, post, server

# Written into the environment: it notes every module of ours or of TensorFlow that is looked for, and in which folder.
WATCH = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("recsys", "serve", "tensorflow"):
            with open(os.environ["WATCH_LOG"], "a") as log:
                print(name, (path or [""])[0], sep="\t", file=log)

if "WATCH_LOG" in os.environ:
    sys.meta_path.insert(0, Watch())
"""


class Installed:
    """An environment with the wheel in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))

    @property
    def recsys(self) -> str:
        return str(self.folder / "bin" / "recsys")

    def run(self, *command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        program = [str(self.folder / "bin" / command[0]), *command[1:]]
        return subprocess.run(
            program, cwd=cwd, env=clean(variables), check=False, capture_output=True, text=True, timeout=900
        )


def clean(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process, without what leads to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | dict(variables)


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("recsys-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an empty environment that borrows from this one what the wheel depends on."""
    environment = Installed(tmp_path_factory.mktemp("environment"))
    venv.create(environment.folder, with_pip=False)
    python = str(environment.folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True)
    (environment.packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (environment.packages / "sitecustomize.py").write_text(WATCH)
    return environment


def test_a_server_starts_from_the_wheel(installed: Installed, bundle_path: Path, tmp_path: Path) -> None:
    log = tmp_path / "modules"
    options = ["--bundle", str(bundle_path), "--port", "0", "--store", "sqlite:///store.sqlite"]
    variables = {"WATCH_LOG": str(log), "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": ""}
    with server([installed.recsys, "serve", *options], folder=tmp_path, **variables) as (url, process):
        assert get(f"{url}/ready").json()["status"] == "ready"
        event = {"event_id": "1", "user_id": "u", "item_id": "item1", "event_type": "purchase"}
        assert post(f"{url}/events", event).status < 300, "the migrations of the store are in the wheel"
        page = get(f"{url}/ui/")
        assert page.body == (ROOT / "serve/dashboard/static/index.html").read_bytes()
        loaded = re.findall(rb'(?:src|href)="(/ui/[^"]+)"', page.body)
        assert loaded
        for address in loaded:
            assert get(url + address.decode()).status == 200, "what the page loads is in the wheel"
        answer = get(f"{url}/recommendations/user3?k=5").json()
        assert (len(answer["items"]), answer["primary_model"], answer["store"]) == (5, "full", "live")
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
    assert (tmp_path / "store.sqlite").is_file()
    assert "site-packages/tensorflow/" not in mapped
    modules = dict(line.split("\t") for line in log.read_text().splitlines())
    assert {"recsys.pipeline", "serve.app"} <= set(modules)
    assert "tensorflow" not in modules
    foreign = {name for name, folder in modules.items() if folder and not folder.startswith(str(installed.packages))}
    assert not foreign


def test_what_the_package_reads_at_run_time_is_in_the_wheel(installed: Installed) -> None:
    for package in "recsys", "serve":
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc", ".nbi", ".nbc"):
                assert (installed.packages / path.relative_to(ROOT)).is_file(), path
    config = installed.packages / "recsys" / "cli" / "sample.yaml"
    assert config.read_text("utf8") == (ROOT / "configs" / "sample.yaml").read_text("utf8")


def test_the_built_page_is_in_the_source_distribution(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("recsys-*.tar.gz")
    with tarfile.open(path) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    static = ROOT / "serve" / "dashboard" / "static"
    assert {file.relative_to(ROOT).as_posix() for file in static.rglob("*") if file.is_file()} <= held
    assert not any("node_modules" in name for name in held)


def test_version_and_help_of_the_command(installed: Installed, tmp_path: Path) -> None:
    version = installed.run("python", "-c", "import importlib.metadata as m; print(m.version('recsys'))", cwd=tmp_path)
    assert version.stdout == installed.run("recsys", "--version", cwd=tmp_path).stdout
    assert version.stdout.strip() == recsys.__version__
    assert "prepare" in installed.run("recsys", "--help", cwd=tmp_path).stdout


def test_the_demo_brings_its_config_into_an_empty_folder(installed: Installed, tmp_path: Path) -> None:
    code = "from recsys.cli import demo; demo.write_config(); print(demo.load_config(demo.CONFIG).name)"
    assert installed.run("python", "-c", code, cwd=tmp_path).stdout == "sample\n"
    assert (tmp_path / "configs" / "sample.yaml").is_file()
    raw = installed.run("recsys", "sample", "raw", "--users", "50", "--items", "40", "--reviews", "400", cwd=tmp_path)
    assert raw.stdout.count("(synthetic)") == 3


@pytest.mark.slow
def test_extras_install_what_they_promise(wheel: Path, bundle_path: Path, tmp_path: Path) -> None:
    """`pip install .`, then `pip install '.[serve]'`, from the package index into an empty environment."""
    environment = Installed(tmp_path / "environment")
    venv.create(environment.folder, with_pip=True)
    install = ("python", "-m", "pip", "install", "--quiet")
    base = environment.run(*install, str(wheel), cwd=tmp_path)
    assert base.returncode == 0, base.stderr
    code = (
        "from recsys.bundle import open_bundle\n"
        f"with open_bundle({str(bundle_path)!r}) as bundle: print(len(bundle.histories.lengths))"
    )
    assert int(environment.run("python", "-c", code, cwd=tmp_path).stdout) > 0
    for command, extra in (["serve"], "[serve]"), (["train", "--config", "c.yaml"], "[train]"):
        refused = environment.run("recsys", *command, cwd=tmp_path)
        assert refused.returncode == 1
        assert extra in refused.stderr

    served = environment.run(*install, f"{wheel}[serve]", cwd=tmp_path)
    assert served.returncode == 0, served.stderr
    options = ["--bundle", str(bundle_path), "--port", "0", "--store", f"sqlite:///{tmp_path}/store.sqlite"]
    checked = environment.run("recsys", "serve", "--check", *options, cwd=tmp_path)  # compiles, however long that takes
    assert checked.returncode == 0, checked.stderr
    with server([environment.recsys, "serve", *options], folder=tmp_path, PYTHONPATH="") as (url, _):
        answer = get(f"{url}/recommendations/user3").json()
        assert (answer["fallback_used"], answer["store"], len(answer["items"])) == (False, "live", 10)
