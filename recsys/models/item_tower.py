"""The item tower: text, id, brand, categories and price of an item to one vector."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from recsys.config import ModelConfig
from recsys.core.tower_io import FIRST_ID_ROW, OUT_OF_VOCABULARY, id_rows
from recsys.core.types import BoolArray, Float32Array
from recsys.models.item_features import ItemFeatures
from recsys.models.layers import StepDropout
from recsys.sources.lending import Loans
from recsys.sources.text_lenders import LEAST_SPREAD

_TEXT_BLOCK = 131_072  # texts held in double precision at a time


class ItemTower(tf.keras.layers.Layer):
    """Item rows to vectors [dim + match_dim]: a learned part, and (text_match) principal text components.

    The learned part is a sum of projections, so that any of them may be absent: an item without a
    trained id gets its vector from text and attributes.
    """

    def __init__(
        self,
        features: ItemFeatures,
        trained: BoolArray,
        config: ModelConfig,
        step: tf.Variable,
        seed: int,
        item_init: Float32Array | None,
        text_layer: tf.keras.layers.Layer | None,
    ) -> None:
        """Build a tower over the items of `features`.

        Args:
            features: attributes of N items.
            trained: bool [N], items that occur in training; the others are out of vocabulary.
            config: sizes and which inputs to use.
            step, seed: see StepDropout.
            item_init: float32 [N, dim], start of the id embeddings, or None for a random one.
            text_layer: maps item rows to text embeddings where the encoder is fine-tuned; None: `features.text`.
        """
        super().__init__(name="item_tower")
        self._config, self._text_layer = config, text_layer
        self._features = {
            "brand": tf.constant(features.brand),
            "categories": tf.constant(features.categories),
            "price": tf.constant(features.price),
            "item": tf.constant(np.where(trained, id_rows(np.arange(len(features))), np.int32(OUT_OF_VOCABULARY))),
        }
        if text_layer is None:
            self._features["text"] = tf.constant(features.text)
        mean, components = text_components(features.text, config.text_match_dim if config.text_match else 0)
        self.match_dim = components.shape[1]
        self._text_mean, self._components = tf.constant(mean), tf.constant(components)
        self._id_table = _id_table(len(features), config, item_init)
        self._brand = _embedding(features.n_brands, config.dim, "brand")
        self._categories = _embedding(features.n_categories, config.dim, "categories")
        self._text = tf.keras.layers.Dense(config.dim, name="text")
        # As small at the start as the embeddings: a default start would drown them in price.
        small = tf.keras.initializers.RandomNormal(stddev=0.02)
        self._price = tf.keras.layers.Dense(config.dim, use_bias=False, kernel_initializer=small, name="price")
        self._loans = Loans.of(features.text, trained)
        self._id_dropout = StepDropout(config.id_dropout, step, seed, "item_tower/id_dropout")

    @property
    def output_dim(self) -> int:
        return self._config.dim + self.match_dim

    def call(self, rows: tf.Tensor, training: bool = False) -> tf.Tensor:
        """int32 item rows [U] to float32 [U, output_dim]."""
        inputs = {name: tf.gather(values, rows) for name, values in self._features.items()}
        if self._text_layer is not None:
            inputs["text"] = self._text_layer(rows, training=training)
        if training and self._config.use_item_id:
            shown = self._id_dropout(tf.ones_like(rows, tf.float32), training=True) > 0
            inputs["item"] = tf.where(shown, inputs["item"], OUT_OF_VOCABULARY)
        return self.from_features(**inputs)

    def from_features(
        self, text: tf.Tensor, brand: tf.Tensor, categories: tf.Tensor, price: tf.Tensor, item: tf.Tensor
    ) -> tf.Tensor:
        """Vectors of items given by their attributes, as new items are.

        Args:
            text: float32 [U, E].
            brand: int32 [U].
            categories: int32 [U, C].
            price: float32 [U, 2].
            item: int32 [U], id rows.
        """
        centred = tf.math.l2_normalize(text, axis=-1) - self._text_mean
        learned = self._text(_direction(centred))
        if self._config.use_item_id:
            learned += self._id_table(item)
        if self._config.use_brand:
            learned += self._brand(brand) * _in_vocabulary(brand, learned.dtype)
        if self._config.use_categories:
            weights = _in_vocabulary(categories, learned.dtype)
            total = tf.reduce_sum(self._categories(categories) * weights, axis=1)
            learned += total / tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)
        if self._config.use_price:
            learned += self._price(price)
        if not self.match_dim:
            return learned
        match = _direction(tf.matmul(centred, self._components))
        return tf.concat([learned, tf.cast(match, learned.dtype)], axis=-1)

    def set_learned(self, values: Float32Array) -> None:
        """Make the learned part of every trained item [its value, 0, 0, ...], or 0 without item ids; layers are built.

        Args:
            values: float32 [N].
        """
        for layer in (self._text, self._id_table, self._brand, self._categories, self._price):
            for variable in layer.trainable_variables:
                variable.assign(tf.zeros_like(variable))
        if self._config.use_item_id:
            table = np.zeros(self._id_table.embeddings.shape, np.float32)
            table[FIRST_ID_ROW:, 0] = values
            self._id_table.embeddings.assign(table)

    def lend_to_untrained(self, vectors: tf.Tensor) -> tf.Tensor:
        """Vectors [N, output_dim] of all items, in which those that training never saw borrow their learned part.

        It is the mean of the learned parts of the items of most similar text, at their mean length: averaging
        shortens vectors, and a short one loses against every other item. Without a learned part such items would
        hardly ever be among the candidates.
        """
        loans = self._loans
        if not len(loans.borrowers):
            return vectors
        learned = vectors[:, : self._config.dim]
        lent = tf.gather(learned, loans.lenders)
        direction = tf.math.l2_normalize(tf.einsum("un,und->ud", loans.weights, lent), axis=-1)
        length = tf.einsum("un,un->u", loans.weights, tf.norm(lent, axis=-1))
        borrowed = tf.tensor_scatter_nd_update(learned, loans.borrowers[:, None], direction * length[:, None])
        return tf.concat([borrowed, vectors[:, self._config.dim :]], axis=-1)


def text_components(text: Float32Array, dim: int) -> tuple[Float32Array, Float32Array]:
    """Mean and leading principal directions of unit-length text embeddings.

    Sentence embeddings share a large common direction; without it their cosines tell items apart
    (Mu and Viswanath, "All-but-the-top", 2018).

    Returns:
        mean: float32 [E].
        components: float32 [E, min(dim, E)], orthonormal columns.
    """
    unit = text / np.maximum(np.linalg.norm(text, axis=1, keepdims=True), 1e-12)
    mean = unit.mean(axis=0)
    products = np.zeros((text.shape[1], text.shape[1]))
    for start in range(0, len(unit), _TEXT_BLOCK):
        centred = unit[start : start + _TEXT_BLOCK] - mean
        products += centred.T.astype(np.float64) @ centred
    _, vectors = np.linalg.eigh(products)
    return mean.astype(np.float32), np.ascontiguousarray(vectors[:, ::-1][:, :dim], np.float32)


def _direction(text: tf.Tensor) -> tf.Tensor:
    """Centred texts [..., E] at length 1, shorter where they hardly differ from the usual text.

    Where all texts are the same, centring leaves rounding errors: at length 1 they would look like a text, and
    another program would round them otherwise.
    """
    return tf.math.l2_normalize(text, axis=-1, epsilon=LEAST_SPREAD**2)


def _id_table(n_items: int, config: ModelConfig, item_init: Float32Array | None) -> tf.keras.layers.Embedding:
    if item_init is None:
        return _embedding(FIRST_ID_ROW + n_items, config.dim, "item_id")
    table = np.concatenate([np.zeros((FIRST_ID_ROW, config.dim), np.float32), item_init])
    initializer = tf.keras.initializers.Constant(table)
    return tf.keras.layers.Embedding(len(table), config.dim, embeddings_initializer=initializer, name="item_id")


def _embedding(rows: int, dim: int, name: str) -> tf.keras.layers.Embedding:
    initializer = tf.keras.initializers.RandomNormal(stddev=0.02)
    return tf.keras.layers.Embedding(rows, dim, embeddings_initializer=initializer, name=name)


def _in_vocabulary(rows: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """1 for each row of the vocabulary, 0 for padding and what is out of it: rows [...] -> [..., 1]."""
    return tf.cast(rows > 0, dtype)[..., None]
