"""Names of columns among those of a file, which match whatever their case."""

from __future__ import annotations

from collections.abc import Iterable

from recsys.core.errors import DataError


class NameFinder:
    """Finds a name among those of a file: exactly, or else whatever its case."""

    def __init__(self, names: Iterable[str], file_name: str, setting: str) -> None:
        """`file_name` names the file in errors, `setting` where the config says which name is meant."""
        self._names, self._file_name, self._setting = list(names), file_name, setting
        self._folded: dict[str, list[str]] = {}
        for name in self._names:
            self._folded.setdefault(name.casefold(), []).append(name)

    def __call__(self, wanted: str) -> str | None:
        """The name as the file has it; None: it has none.

        Raises:
            DataError: there are two that are called so, or that differ from it in case alone.
        """
        alike = self._folded.get(wanted.casefold(), [])
        alike = [name for name in alike if name == wanted] or alike
        if len(alike) > 1:
            differ = len(set(alike)) > 1
            got = " and ".join(alike) if differ else f"{alike[0]} {len(alike)} times"
            raise DataError(
                f"each column once in {self._file_name}, one that is called {wanted}",
                f"{got} among {', '.join(self._names)[:200]}",
                f"name the one that is meant in {self._setting}, as it is written"
                if differ
                else "rename or remove all but one of them",
            )
        return alike[0] if alike else None


def plain_name(name: str) -> str:
    """Letters and digits of a name, in one case: `Product ID` and `product_id` are one."""
    return "".join(filter(str.isalnum, name.casefold()))
