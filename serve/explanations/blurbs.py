"""Blurbs: a few words on an item, of what is true of it whoever asks."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from recsys.bundle.overlay import LiveBundle
from recsys.core.errors import RecsysError
from recsys.explain.facts import item_facts
from recsys.explain.text.phrases import Phrases
from recsys.store import BlurbKey
from serve.bundles.loaded import LoadedBundle
from serve.explanations.texts import Texts, TextSource
from serve.store.link import StoreLink

logger = logging.getLogger(__name__)

MOST_IN_MEMORY: Final = 2000
MOST_WAITING: Final = 100  # texts that the store has still to take; more are let go


@dataclass(frozen=True)
class Blurb:
    """What is said of an item.

    Attributes:
        text: with all values put in; empty where nothing is known of the item.
        text_source: rule or llm.
        cached: whether it was written before, and kept.
    """

    text: str
    text_source: TextSource = "rule"
    cached: bool = False


class Blurbs:
    """Writes blurbs. Those of a language model are kept, in memory and in the store; the rules' cost nothing."""

    def __init__(self, texts: Texts, link: StoreLink | None) -> None:
        """Get ready; `link` None: there is no store, each process keeps its own alone."""
        self._texts, self._link = texts, link
        self._recent = OrderedDict[BlurbKey, str]()
        self._keeping = set[asyncio.Task[None]]()

    async def blurb(self, loaded: LoadedBundle, item_row: int, phrases: Phrases) -> Blurb:
        """The blurb of an item; takes no longer than the language model and a look into the store may.

        Args:
            loaded: bundle that is served.
            item_row: in [0, N) of its catalogue.
            phrases: of the language.
        """
        key = await asyncio.to_thread(self._key, loaded, item_row, phrases)
        if key is not None and (kept := await self._kept(key)) is not None:
            return Blurb(kept, "llm", cached=True)
        facts = await asyncio.to_thread(item_facts, loaded.fact_base, item_row)
        text = await self._texts.describe(facts, phrases)
        if key is not None and text.text_source == "llm":
            self._keep(key, text.text)
        return Blurb(text.text, text.text_source)

    def _key(self, loaded: LoadedBundle, item_row: int, phrases: Phrases) -> BlurbKey | None:
        """None: there is no language model, and nothing to keep."""
        version = self._texts.version(phrases, loaded.fact_base.sensitive_names.names)
        if version is None:
            return None
        item_id = loaded.cards([item_row])[item_row].item_id
        facts = f"{loaded.info.name}/{loaded.info.version}{_said_since(loaded, item_row)}"
        return BlurbKey(item_id, facts, version, str(phrases.locale))

    async def _kept(self, key: BlurbKey) -> str | None:
        if (text := self._recent.get(key)) is None and self._link is not None:
            try:
                text = await asyncio.to_thread(self._link.blurb, key)
            except RecsysError:  # the store is down: the blurb is written anew
                return None
        if text is not None:
            self._remember(key, text)
        return text

    def _remember(self, key: BlurbKey, text: str) -> None:
        self._recent[key] = text
        self._recent.move_to_end(key)
        while len(self._recent) > MOST_IN_MEMORY:
            self._recent.popitem(last=False)

    def _keep(self, key: BlurbKey, text: str) -> None:
        """Keep a text; the reader does not wait for the store."""
        self._remember(key, text)
        if self._link is not None and len(self._keeping) < MOST_WAITING:
            task = asyncio.create_task(asyncio.to_thread(_store, self._link, key, text))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)


def _said_since(loaded: LoadedBundle, item_row: int) -> str:
    """Another text for whatever else the shop says of the item since the bundle was made: a blurb tells of that."""
    record = loaded.bundle.live.records.get(item_row) if isinstance(loaded.bundle, LiveBundle) else None
    return "" if record is None else f"+{hashlib.sha256(repr(record).encode()).hexdigest()[:16]}"


def _store(link: StoreLink, key: BlurbKey, text: str) -> None:
    try:
        link.queries.keep_blurb(key, text, time.time())
    except RecsysError as error:  # it is in memory
        logger.debug("A blurb is not kept. %s", error)
