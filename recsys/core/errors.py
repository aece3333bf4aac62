"""Errors a user can act on. Every message says what was expected, what was there instead and what to do."""

from collections.abc import Mapping
from typing import Any


class RecsysError(Exception):
    """Base of all errors that are the input's or the environment's fault, not a bug.

    The command-line programs print the message without a traceback and exit with `exit_code`.
    """

    exit_code = 1

    def __init__(self, expected: str, got: str, remedy: str) -> None:
        """Keep the three parts: `expected` and `got` are clauses, `remedy` an instruction."""
        self.expected, self.got, self.remedy = expected, got, remedy
        super().__init__(f"Expected {expected}.\n     Got {got}.\n  Remedy {remedy}.")

    def __reduce__(self) -> tuple[Any, ...]:
        """An error of another process is made again of its three parts."""
        return type(self), (self.expected, self.got, self.remedy)


class ConfigError(RecsysError):
    """A setting is unknown, of the wrong type, out of range or at odds with another."""

    exit_code = 2


class DataError(RecsysError):
    """A raw file or a prepared dataset is missing, damaged or not what the config says."""

    exit_code = 3


class TrainingError(RecsysError):
    """Training cannot start or go on: no encoder available, loss not finite, run in use."""

    exit_code = 4


class BundleError(RecsysError):
    """A bundle is missing, incomplete, damaged, incompatible, or not good enough to publish."""

    exit_code = 5


class DamagedBundleError(BundleError):
    """A bundle was sound when it was opened, and cannot be read any more."""


def said(error: Mapping[str, Any]) -> str:
    """The message of an error as Pydantic lists it, without its name for the errors that our own validators raise."""
    message: str = error["msg"]
    return message.removeprefix("Value error, ")
