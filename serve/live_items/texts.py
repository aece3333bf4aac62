"""Vectors of the texts of new items: each is encoded once, by one worker, and kept in the store for the others."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Iterable, Mapping

import numpy as np

from recsys.core.types import Float32Array
from recsys.encoding import ItemEncoder
from recsys.store import Store

logger = logging.getLogger(__name__)

AT_ONCE = 16  # texts that are encoded before the next look at what else has changed
STALE_S = 60.0  # whoever began to encode a text and has not kept its vector by then has gone
TRIES = 4  # parts of the texts that are looked through for one that nobody else encodes
_STORED = np.dtype("<f4")


def key_of(text: str) -> str:
    """What the store calls a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class TextVectors:
    """Vectors of texts by one encoder, as far as they are known here.

    Attributes:
        encoder: of a bundle.
    """

    def __init__(self, encoder: ItemEncoder) -> None:
        self.encoder = encoder
        self._vectors: dict[str, Float32Array] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._vectors

    def of(self, keys: Iterable[str]) -> Float32Array:
        """Float32 [M, E], vectors of M texts that are all known."""
        rows = [self._vectors[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, self.encoder.dim), np.float32)

    def read(self, missing: Iterable[str], store: Store) -> None:
        """Take those that the store has. Raises as the store does."""
        for key, stored in store.text_vectors.find(self.encoder.fingerprint, list(missing)).items():
            vector = np.frombuffer(stored, _STORED).astype(np.float32)
            if vector.shape == (self.encoder.dim,):
                self._vectors[key] = vector

    def encode_some(self, texts: Mapping[str, str], store: Store) -> bool:
        """Encode a few texts, given by key, that nobody else encodes; whether any. Raises as the store does."""
        keys = list(texts)
        starts = list(range(0, len(keys), AT_ONCE))
        for start in random.sample(starts, min(TRIES, len(starts))):
            part = keys[start : start + AT_ONCE]
            claimed = store.text_vectors.claim(self.encoder.fingerprint, part, timestamp=time.time(), stale_s=STALE_S)
            if claimed:
                self._encode({key: texts[key] for key in claimed}, store)
                return True
        return False

    def _encode(self, texts: Mapping[str, str], store: Store) -> None:
        started = time.perf_counter()
        vectors = np.asarray(self.encoder.encode_texts(list(texts.values())), np.float32)
        self._vectors.update(zip(texts, vectors, strict=True))
        stored = {key: vector.astype(_STORED).tobytes() for key, vector in zip(texts, vectors, strict=True)}
        store.text_vectors.keep(self.encoder.fingerprint, stored, timestamp=time.time())
        logger.info("Encoded %d texts of new items in %.2f s", len(texts), time.perf_counter() - started)
