"""Numbers as people of a place write them."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency, format_decimal, format_percent, is_currency

from recsys.core.errors import ConfigError
from recsys.explain.fact import Unit

_MOST_KEPT = 10_000  # numbers once formatted; Babel takes tens of microseconds for each


class Numbers:
    """Formats numbers by their unit.

    Attributes:
        locale: by which they are written.
        currency: ISO 4217 code of the prices; None: a price is shown as a plain amount.
    """

    def __init__(self, locale: Locale, currency: str | None = None) -> None:
        """See above.

        Raises:
            ConfigError: there is no such currency.
        """
        if currency is not None and not is_currency(currency, locale):
            raise ConfigError("a currency of ISO 4217, such as EUR", repr(currency), "name the currency of your prices")
        self.locale, self.currency = locale, currency
        self.text = lru_cache(_MOST_KEPT)(self._text)

    def _text(self, value: float, unit: Unit) -> str:
        """A number of a unit. Prices have two decimals or the currency's, ratings one at most, percents none."""
        match unit:
            case "price" if self.currency is not None:
                return str(format_currency(value, self.currency, locale=self.locale))
            case "price":
                return str(format_decimal(value, "#,##0.00", locale=self.locale))
            case "percent":
                return str(format_percent(value / 100, locale=self.locale))
            case "rating":
                return str(format_decimal(value, "0.#", locale=self.locale))
            case _:
                return str(format_decimal(value, "#,##0.###", locale=self.locale))
