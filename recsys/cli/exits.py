"""How the commands end: an exit code and a message for whatever stopped them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recsys.core.errors import RecsysError

INTERRUPTED = 128 + 2  # what a shell reports for a program ended by SIGINT
OUR_OWN = ("recsys", "serve")


def run(command: Callable[[], None]) -> int:
    """Call `command` and return the exit code of the program.

    A `RecsysError` is the user's to mend: its message goes to stderr without a traceback, and its
    `exit_code` is returned. A `SystemExit` gives its code. Any other exception is a bug and keeps its traceback.
    """
    try:
        command()
    except RecsysError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    else:
        return 0
    if code == INTERRUPTED:
        print("Interrupted.", file=sys.stderr)
    return code


@contextmanager
def packages_of(extra: str) -> Iterator[None]:
    """Around imports that need the packages of an extra of pyproject.toml.

    Raises:
        RecsysError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in OUR_OWN:
            raise
        raise RecsysError(
            f"the packages of the extra {extra!r}",
            f"no module {error.name}",
            f"install them where recsys was installed from: pip install '.[{extra}]', or the wheel's file with "
            f"[{extra}] after its name",
        ) from None
