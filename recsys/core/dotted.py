"""Objects named by a dotted path, which are imported when they are needed and not before."""

from __future__ import annotations

import importlib
from typing import Any


def imported(path: str) -> Any:
    """The object that `package.module.Name` or `package.module.Class.method` names.

    Raises:
        ModuleNotFoundError: there is no such module, or it imports one that there is not.
        AttributeError: the module has nothing of that name.
        ValueError: the path begins with a dot.
        Exception: whatever else the module raises while it is imported, such as a SyntaxError.
    """
    module, *names = path.split(".")
    owner: Any = importlib.import_module(module)
    for name in names:
        module = f"{module}.{name}"
        if not hasattr(owner, name) and hasattr(owner, "__path__"):
            owner = importlib.import_module(module)
        else:
            owner = getattr(owner, name)
    return owner
