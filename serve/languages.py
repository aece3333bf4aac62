"""The languages that explanations are told in: the program's, and one of the shop's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError

from recsys.core.errors import ConfigError
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.strings_file import languages, read_strings
from serve.errors import UnfitRequestError
from serve.settings import Settings

_MOST_LOCALES: Final = 32  # clients choose among all countries where a language is spoken


class Languages:
    """Phrases by the names of locales."""

    def __init__(self, settings: Settings) -> None:
        """Read the shop's strings, if it has any.

        Raises:
            ConfigError: they, the language or the currency of the settings cannot be used.
        """
        self._files: dict[str, Path | None] = dict.fromkeys(languages())
        if settings.strings is not None:
            self._files[Locale.parse(read_strings("", settings.strings).language).language] = settings.strings
        self._currency, self._default = settings.currency, settings.language
        self._known = lru_cache(_MOST_LOCALES)(self._load)
        try:
            self.of(None)
        except UnfitRequestError as error:
            raise ConfigError(
                "a language with strings", str(error), "name one that has, or a file of strings"
            ) from None

    def of(self, locale: str | None = None) -> Phrases:
        """The phrases of a locale, like en or de_CH; None: that of the settings.

        Raises:
            UnfitRequestError: there are none.
        """
        try:
            parsed = Locale.parse((locale or self._default).replace("-", "_"))
        except (ValueError, UnknownLocaleError):
            parsed = None
        if parsed is None or parsed.language not in self._files:
            raise UnfitRequestError(
                f"language: expected {' or '.join(sorted(self._files))}, alone or with a country (got {locale!r})"
            )
        return self._known(parsed.language, str(parsed))

    def _load(self, language: str, locale: str) -> Phrases:
        return Phrases.load(language, self._files[language], locale, self._currency)
