"""The Dockerfile as its stages, each with its instructions in order."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Instruction:
    """One instruction, its flags (`--mount=…`, `--from=…`) apart from the rest."""

    name: str
    value: str
    flags: tuple[str, ...] = ()

    def flag(self, name: str) -> str | None:
        """The value of a flag that is given once."""
        found = [flag.partition("=")[2] for flag in self.flags if flag.startswith(f"--{name}=")]
        return found[0] if found else None

    @property
    def words(self) -> list[str]:
        """The rest as words; of the exec form (JSON) its strings."""
        return json.loads(self.value) if self.value.startswith("[") else shlex.split(self.value)

    @property
    def pairs(self) -> dict[str, str]:
        """Of ENV, ARG and LABEL."""
        return {name: value for name, _, value in (word.partition("=") for word in self.words)}


@dataclass
class Stage:
    """What stands between a FROM and the next one."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def named(self, name: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.name == name]

    def pairs(self, name: str) -> dict[str, str]:
        """Of all ENV, ARG or LABEL together."""
        return {key: value for found in self.named(name) for key, value in found.pairs.items()}


def read_dockerfile(path: Path = ROOT / "Dockerfile") -> tuple[dict[str, str], dict[str, Stage]]:
    """Arguments before the first stage, and the stages by name."""
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    with path.open("rb") as file:
        parsed = DockerfileParser(fileobj=file).structure
    for entry in parsed:
        if entry["instruction"] == "COMMENT":
            continue
        found = _instruction(entry["instruction"], entry["value"])
        if found.name == "FROM":
            base, _, name = re.split(r"\s+", found.value)
            stage = stages[name] = Stage(name, base)
        elif stage is not None:
            stage.instructions.append(found)
        elif found.name == "ARG":
            arguments |= found.pairs
    return arguments, stages


def _instruction(name: str, value: str) -> Instruction:
    flags = []
    while found := re.match(r"(--[a-z-]+=\S+)\s+", value):
        flags.append(found.group(1))
        value = value[found.end() :]
    return Instruction(name, value, tuple(flags))
