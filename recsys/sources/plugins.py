"""Sources from outside of this program: a class that fits itself, named by its dotted path in `retrieval.plugins`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import ValidationError

from recsys.core.dotted import imported
from recsys.core.errors import ConfigError
from recsys.core.settings import Section
from recsys.sources.base import Source
from recsys.sources.fitting import FitData

CLASS = "class"


class PluggedSource(Source):
    """A source that a config may plug in from outside. Besides what every source answers it says how it is fitted.

    The config gives it a name. A bundle notes the class's dotted path, so that whatever opens it must have the package.

    Attributes:
        Settings: pydantic's description of its settings. One that `Annotated` marks as `Tried` lists values to try.
    """

    Settings: ClassVar[type[Section]] = Section

    @classmethod
    @abstractmethod
    def fit(cls, data: FitData, settings: Any, **chosen: Any) -> Self:
        """Fit the source.

        Args:
            data: histories, texts, prices.
            settings: an object of `Settings`.
            chosen: one value of each setting that is tried, by name of its argument.
        """

    @classmethod
    def obstacle(cls, data: FitData, settings: Any) -> str | None:
        """Why it cannot be fitted on these data, in words for the report; None: it can."""
        del data, settings
        return None


def plugged(name: str, given: Mapping[str, Any]) -> tuple[type[PluggedSource], Section]:
    """The class and the settings of a source from outside.

    Args:
        name: its key in `retrieval.plugins`.
        given: what stands there: `class`, and settings.

    Raises:
        ConfigError: no such module, one that fails to be imported, no such class, not a `PluggedSource`, or settings
            that it does not take.
    """
    key = f"retrieval.plugins.{name}"
    path = given.get(CLASS)
    if not isinstance(path, str) or "." not in path:
        raise ConfigError(
            f"{key}.{CLASS}, a dotted path such as package.module.Name", repr(path), "name the class of the source"
        )
    try:
        named = imported(path)
    except Exception as error:  # a module from outside may raise anything
        raise ConfigError(
            f"a class that can be imported from {path} for {key}",
            f"{type(error).__name__}: {error}",
            "correct the path or the module; or install its package or put its folder on PYTHONPATH",
        ) from error
    if not (isinstance(named, type) and issubclass(named, PluggedSource)):
        raise ConfigError(
            f"a source at {path} for {key}",
            f"{named!r}, which is none",
            "derive it from recsys.sources.plugins.PluggedSource",
        )
    try:
        return named, named.Settings.model_validate({key: value for key, value in given.items() if key != CLASS})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        taken = ", ".join(named.Settings.model_fields) or "none"
        raise ConfigError(f"settings of {path} in {key}: {taken}", problems, "correct these keys") from None
