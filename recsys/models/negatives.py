"""Which items stand for the whole catalogue in a step of the sampled softmax."""

from __future__ import annotations

import zlib

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recsys.core.types import Float64Array, Int64Array

# Share of a stratum's items drawn, as a power of how often they are chosen: 0 would draw all alike, 1 by frequency.
FREQUENCY_POWER = 0.5


class StratifiedNegatives:
    """Draws one item of each stratum; a stratum holds items that are chosen about equally often.

    The most frequent items are strata of their own, which every step holds; the rarer the items, the larger their
    strata. An item drawn from a stratum of n stands for all of them, so that its weight is n: the weighted sum over
    the sample is then right in the mean for any sum over the catalogue (Horvitz and Thompson, 1952), and in a catalogue
    no larger than the sample it is the sum itself. Strata make it vary less than independent draws would (Neyman,
    1934), and no item is drawn twice.

    Attributes:
        log_weights: float32 [M], logarithm of the size of each stratum.
    """

    def __init__(self, item_counts: NDArray[np.integer], most: int, seed: int) -> None:
        """Cut the items that occur in training into strata.

        Args:
            item_counts: int [N], how often each item occurs in training; items without an occurrence are never drawn.
            most: most items drawn at a time; fewer where fewer occur.
            seed: of the run.
        """
        counts = np.asarray(item_counts)
        trained = np.flatnonzero(counts > 0)
        order = trained[np.argsort(-counts[trained], kind="stable")]
        sizes = stratum_sizes(counts[order], most)
        self._items = tf.constant(order.astype(np.int32))
        self._starts = tf.constant((np.cumsum(sizes) - sizes).astype(np.int32))
        self._sizes = tf.constant(sizes.astype(np.float32))
        self.log_weights = tf.constant(np.log(sizes).astype(np.float32))
        self._seed = zlib.crc32(f"{seed}/negatives".encode())

    def __len__(self) -> int:
        return int(self._starts.shape[0])

    def draw(self, step: tf.Tensor) -> tf.Tensor:
        """int32 [M], rows of the items of a step, all different; a function of seed, step and replica alone."""
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64) if context else tf.constant(0, tf.int64)
        seed = tf.stack([tf.cast(step, tf.int64), replica + self._seed])
        share = tf.random.stateless_uniform([len(self)], seed, alg="philox")
        # A share next to 1 may be rounded up to the size.
        within = tf.minimum(tf.floor(share * self._sizes), self._sizes - 1)
        return tf.gather(self._items, self._starts + tf.cast(within, tf.int32))


def stratum_sizes(counts: NDArray[np.integer], most: int, power: float = FREQUENCY_POWER) -> Int64Array:
    """Cut items into strata of about equal mass, where the mass of an item is a power of its count.

    Args:
        counts: int [N], each at least 1, in falling order.
        most: M, number of strata if there are as many items.
        power: of the count.

    Returns:
        int64 [min(M, N)], sizes of consecutive strata, each at least 1.
    """
    chance = _inclusion(counts.astype(np.float64) ** power, most)
    # Where the sum of the chances of the items before passes a whole number, the next stratum begins.
    before = np.cumsum(chance) - chance
    strata = np.minimum(np.floor(before + 1e-6).astype(np.int64), min(most, len(counts)) - 1)
    return np.bincount(strata)


def _inclusion(mass: Float64Array, most: int) -> Float64Array:
    """Chance of each item to be drawn: in proportion to its mass, 1 at most, adding up to `most`; mass is falling."""
    if len(mass) <= most:
        return np.ones(len(mass))
    rest = np.cumsum(mass[::-1])[::-1]
    certain = 0
    while mass[certain] * (most - certain) >= rest[certain]:
        certain += 1
    return np.concatenate([np.ones(certain), mass[certain:] * (most - certain) / rest[certain]])
