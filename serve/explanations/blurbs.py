"""Blurbs: a few words on an item, of what the catalogue knows of it alone."""

from __future__ import annotations

from dataclasses import dataclass

from serve.bundles.loaded import LoadedBundle
from serve.explanations.texts import Texts, TextSource
from serve.store.link import StoreLink


@dataclass(frozen=True)
class Blurb:
    """What is said of an item.

    Attributes:
        text: with all values put in; empty where the catalogue knows nothing of the item.
        text_source: rule or llm.
        cached: whether it was written before, and kept in the store.
    """

    text: str
    text_source: TextSource = "rule"
    cached: bool = False


class Blurbs:
    """Writes blurbs, and keeps those of a language model in the store."""

    def __init__(self, texts: Texts, link: StoreLink | None) -> None:
        """Get ready; `link` None: there is no store, each blurb is written anew."""
        self._texts, self._link = texts, link

    async def blurb(self, loaded: LoadedBundle, item_row: int, locale: str = "en") -> Blurb:
        """The blurb of an item; never raises, and never takes longer than the deadline of the settings.

        Args:
            loaded: bundle that is served.
            item_row: in [0, N) of its catalogue.
            locale: of text and numbers, like en or de_CH.
        """
        del locale
        (record,) = loaded.bundle.catalogue.items([item_row])
        return Blurb(" · ".join(part for part in (record.brand, *record.categories[-1:]) if part))
