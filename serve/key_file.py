"""The file of API keys under a running server: what it says holds within a second, a broken one changes nothing."""

from __future__ import annotations

from pathlib import Path

from recsys.core.errors import ConfigError
from recsys.core.small_files import read_small_file
from serve.auth import ApiKey, Keyring

MOST_BYTES = 64 << 20  # of hundreds of thousands of keys
OTHERS = 0o007  # the bits of a file's mode that open it to every user of the machine


class KeyFile:
    """The keys of a file, as they were when it was last sound.

    A process hands it to the workers that it starts, so that a file that broke meanwhile keeps none from starting.

    Attributes:
        fault: why the keys are not those that the file holds now; None: they are.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigError: it cannot be read, or is not a list of keys.
        """
        self.path = path
        self.fault: str | None = None
        self._content = b""
        try:
            self._content = read_small_file(path, MOST_BYTES)
            self._keys = Keyring.parse(self._content)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"API keys in {path}", str(error), "write a JSON list of what python -m serve.auth prints"
            ) from None

    def __len__(self) -> int:
        return len(self._keys)

    def look(self) -> bool:
        """Take over what the file holds if that is sound; whether keys or `fault` have changed."""
        fault = self.fault
        try:
            content = read_small_file(self.path, MOST_BYTES)
            if fault or content != self._content:
                self._keys, self._content = Keyring.parse(content), content
                self.fault = None
                return True
        except (OSError, ValueError) as error:
            self.fault = str(error)
        return self.fault != fault

    def find(self, secret: bytes) -> ApiKey | None:
        """See `Keyring.find`."""
        return self._keys.find(secret)

    def open_to_others(self) -> bool:
        """Whether every user of the machine may read or write the file."""
        try:
            return bool(self.path.stat().st_mode & OTHERS)
        except OSError:
            return False
