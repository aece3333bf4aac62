"""The steps of the Dockerfile, run without a container engine.

A stage is a folder that stands for the root of its file system: RUN runs in it (`unshare`, `chroot`), COPY copies into
it. In the place of the base image, which no engine here could fetch, stand this machine's /usr, read-only, with a copy
of this Python at /usr/local. Nothing outside of the folder changes: what is mounted is seen by the step alone, and is
gone with it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.dockerfiles import ROOT, Instruction, Stage, read_dockerfile

SEARCHED = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED_ON = ("PIP_", "SSL_", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
NOT_IN_AN_IMAGE = ("site-packages", "test", "idlelib", "turtledemo", "config-*", "__pycache__", "*.a")
RUN_S = 1200.0


def why_not() -> str | None:
    """Why the steps cannot be run here; None: they can."""
    missing = [program for program in ("unshare", "chroot", "mount") if shutil.which(program) is None]
    if missing:
        return f"there is no {', '.join(missing)}"
    tried = subprocess.run(["unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"], check=False, capture_output=True)
    return None if tried.returncode == 0 else f"nothing can be mounted: {tried.stderr.decode(errors='replace').strip()}"


@dataclass
class Built:
    """A stage after its steps: the folder that is its root, and what it says of processes."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def megabytes(self, *folders: str) -> float:
        """What the files of some of its folders take on disk, as `du` counts; of all it added where none is named."""
        named = [self.root / folder.lstrip("/") for folder in folders] or [self.root]
        counted = subprocess.run(["du", "-skc", *named], check=True, capture_output=True, text=True)
        return int(counted.stdout.splitlines()[-1].split()[0]) * 1024 / 1e6

    def argv(
        self, command: list[str], mounts: Mapping[str, tuple[Path, str]], *, read_only: bool, **more: str
    ) -> list[str]:
        """A command that runs another one in the root, as its user.

        Args:
            mounts: folders of this machine by the place where they are seen, each `rw` or `ro`.
            read_only: the root, as `docker run --read-only --tmpfs /tmp` has it.
        """
        steps = ["set -e", f"R={shlex.quote(str(self.root))}"]
        for place in ("usr", "usr/local", "dev", "proc", "tmp", *(place.lstrip("/") for place in mounts)):
            (self.root / place).mkdir(parents=True, exist_ok=True)
        local = self.root / ".local"
        steps += ["mount --bind $R $R"]
        steps += ["mount -o remount,bind,ro $R"] if read_only else []
        steps += ["mount --bind /usr $R/usr", "mount -o remount,bind,ro $R/usr"]
        steps += [f"mount --bind {shlex.quote(str(local))} $R/usr/local"]
        steps += ["mount -o remount,bind,ro $R/usr/local"] if read_only else []
        steps += ["mount --rbind /dev $R/dev", "mount --rbind /proc $R/proc"]
        steps += ["mount -t tmpfs -o mode=1777 tmpfs $R/tmp"] if read_only else []
        for place, (path, mode) in mounts.items():
            steps += [f"mount --bind {shlex.quote(str(path))} $R{place}", f"mount -o remount,bind,{mode} $R{place}"]
        variables = [f"{name}={value}" for name, value in {**self.variables, **more}.items()]
        inside = f'cd {shlex.quote(self.folder)} && exec "$@"'
        inner = ["/usr/bin/env", "-i", *variables, "/bin/sh", "-c", inside, "sh", *command]
        steps += [f"exec chroot --userspec={self.user} $R {shlex.join(inner)}"]
        return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", "\n".join(steps)]

    def run(
        self, command: list[str], mounts: Mapping[str, tuple[Path, str]], *, read_only: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the root to its end."""
        argv = self.argv(command, mounts, read_only=read_only, **more)
        return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=RUN_S)


class Steps:
    """Runs the steps of stages, those that a stage is made from first."""

    def __init__(self, folder: Path, contexts: Mapping[str, Path], dockerfile: Path = ROOT / "Dockerfile") -> None:
        """`contexts`: folders that stand for stages, as those of `docker build --build-context` do."""
        self._folder, self._contexts = folder, contexts
        self._arguments, self._stages = read_dockerfile(dockerfile)
        self._built: dict[str, Built] = {}

    def build(self, name: str) -> Built:
        """A stage; each is made once."""
        if name not in self._built:
            stage = self._stages[name]
            self._built[name] = self._run(stage, self._based_on(stage))
        return self._built[name]

    def _based_on(self, stage: Stage) -> Built:
        root = self._folder / stage.name
        if stage.base in self._stages:
            base = self.build(stage.base)
            subprocess.run(["cp", "-a", base.root, root], check=True)
            return replace(base, root=root, variables=dict(base.variables))
        return Built(_like_a_base_image(root), {"PATH": SEARCHED})

    def _run(self, stage: Stage, built: Built) -> Built:
        arguments: dict[str, str] = {}
        for step in stage.instructions:
            if step.name == "ARG":
                arguments |= step.pairs
            elif step.name == "ENV":
                known = {**arguments, **built.variables}
                built.variables |= {name: _filled(value, known) for name, value in step.pairs.items()}
            elif step.name == "RUN":
                self._run_step(step, built)
            elif step.name == "COPY":
                self._copy(step, built)
            else:
                _note(step, built)
        return built

    def _run_step(self, step: Instruction, built: Built) -> None:
        mounts: dict[str, tuple[Path, str]] = {}
        for flag in step.flags:
            options = dict(part.split("=") for part in flag.removeprefix("--mount=").split(","))
            if options["type"] == "cache":
                cache = Path("~/.cache/pip").expanduser()
                cache.mkdir(parents=True, exist_ok=True)
                mounts[options["target"]] = cache, "rw"
            else:
                source = options["from"]
                path = self._contexts[source] if source in self._contexts else self.build(source).root
                mounts[options["target"]] = path / options.get("source", "/").lstrip("/"), "ro"
        network = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        ended = built.run(["/bin/sh", "-c", step.value], mounts, read_only=False, HOME="/root", **network)
        assert ended.returncode == 0, f"{step.value}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"

    def _copy(self, step: Instruction, built: Built) -> None:
        *sources, to = step.words
        source = step.flag("from")
        base = self.build(source).root if source else ROOT
        target = built.root / os.path.normpath(f"{built.folder}/{to}" if not to.startswith("/") else to).lstrip("/")
        for name in sources:
            path = base / name.lstrip("/")
            place = target / path.name if len(sources) > 1 or to.endswith("/") else target
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                left_out = () if source else ("__pycache__", "*.pyc", "*.nb[ci]")
                shutil.copytree(path, place, symlinks=True, ignore=shutil.ignore_patterns(*left_out))
            else:
                shutil.copy2(path, place)


def _note(step: Instruction, built: Built) -> None:
    """What an instruction says of processes."""
    if step.name == "USER":
        built.user = step.value
    elif step.name == "WORKDIR":
        built.folder = step.value
        (built.root / step.value.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif step.name == "ENTRYPOINT":
        built.entrypoint = step.words
    elif step.name == "CMD":
        built.command = step.words
    elif step.name == "HEALTHCHECK":
        built.health = Instruction("CMD", step.value.removeprefix("CMD ")).words


def _filled(value: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: known[found.group(1)], value)


def _like_a_base_image(root: Path) -> Path:
    """A root with this machine's /etc, links into /usr and a copy of this Python, which is seen at /usr/local."""
    root.mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("/", name).readlink())
    subprocess.run(["cp", "-a", "/etc", root / "etc"], check=True)
    (root / "tmp").mkdir(mode=0o1777)
    (root / "tmp").chmod(0o1777)
    (root / "root").mkdir()
    local, prefix = root / ".local", Path(sys.base_prefix)
    version = f"python{sysconfig.get_python_version()}"
    (local / "bin").mkdir(parents=True)
    shutil.copy2(Path(sys.base_prefix, "bin", version), local / "bin" / version)
    for name in ("python", "python3"):
        (local / "bin" / name).symlink_to(version)
    without = shutil.ignore_patterns(*NOT_IN_AN_IMAGE)
    shutil.copytree(prefix / "lib" / version, local / "lib" / version, ignore=without, symlinks=True)
    for library in (prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(library, local / "lib", follow_symlinks=False)
    pip = Path(sysconfig.get_path("purelib", vars={"base": str(prefix)})) / "pip"
    shutil.copytree(
        pip, local / "lib" / version / "site-packages" / "pip", ignore=shutil.ignore_patterns("__pycache__")
    )
    made = Built(root, {"PATH": SEARCHED}).run(["ldconfig"], {}, read_only=False)
    assert made.returncode == 0, made.stderr
    return root


@contextmanager
def without_traces(folder: Path) -> Iterator[Path]:
    """The folder, which is removed at the end: gigabytes that nobody looks at again."""
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
