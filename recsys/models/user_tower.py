"""The user tower: a causal transformer over the item vectors of a history."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from recsys.config import ModelConfig
from recsys.core.profiles import Profiles
from recsys.core.tower_io import FIRST_ID_ROW, OUT_OF_VOCABULARY
from recsys.core.types import Float32Array, Float64Array
from recsys.models.layers import (
    BlockWeights,
    CausalBlock,
    DenseWeights,
    NormWeights,
    StepDropout,
    dense_weights,
    norm_weights,
)


@dataclass(frozen=True)
class TowerWeights:
    """What the user tower computes with, in NumPy.

    Attributes:
        dim, match_dim: widths of both parts.
        max_history: H, longest history.
        positions: [H, dim], added to the positions, or None.
        gaps: hidden and output layer for the gaps, or None.
        blocks: one or more.
        norm: the last one.
        users: [U + 1, dim], added for each user, or None.
        match_scale, match_decay: see `UserTower.match`; 1 and 1 without match part.
    """

    dim: int
    match_dim: int
    max_history: int
    positions: Float64Array | None
    gaps: tuple[DenseWeights, DenseWeights] | None
    blocks: list[BlockWeights]
    norm: NormWeights
    users: Float64Array | None
    match_scale: float
    match_decay: float


class UserTower(tf.keras.layers.Layer):
    """History of item vectors to a user vector at every position, [dim + match_dim].

    The learned part is a causal transformer (SASRec, Kang and McAuley 2018). The match part, where item
    vectors carry one, is a mean of the history's text components whose weights fall off by a learned
    factor for each step back, times a learned scale: text similarity inside the same inner product. Training
    adapts both to a learned part that fits the training pairs ever closer, more than serves unseen pairs;
    `set_match` corrects them afterwards.
    """

    def __init__(
        self,
        match_dim: int,
        n_users: int,
        config: ModelConfig,
        step: tf.Variable,
        seed: int,
        profiles: Profiles | None = None,
    ) -> None:
        """Build a tower.

        Args:
            match_dim: width of the match part.
            n_users: number of user rows.
            config: sizes and which inputs to use.
            step, seed: see StepDropout.
            profiles: of the users; None: their attributes are not read.
        """
        super().__init__(name="user_tower")
        self._config, self._match_dim = config, match_dim
        self._drop_input = StepDropout(config.dropout, step, seed, "user_tower/drop_input")
        self._drop_user = StepDropout(0.5, step, seed, "user_tower/drop_user")
        self._blocks = [
            CausalBlock(config.dim, config.heads, config.dropout, step, seed, f"user_tower/block_{n}")
            for n in range(config.layers)
        ]
        self._norm = tf.keras.layers.LayerNormalization(epsilon=1e-6, name="norm")
        self._gap_hidden = tf.keras.layers.Dense(config.dim, activation="relu", name="gap_hidden")
        self._gap_out = tf.keras.layers.Dense(config.dim, name="gap_out")
        self._positions = self._table("positions", config.max_history)
        if config.use_user_id:
            self._users = self._table("users", FIRST_ID_ROW + n_users)
        self._profiles = None
        if profiles is not None:
            # By id row, of which the first is a user of whom nothing is known.
            self._profiles = tf.constant(np.vstack([profiles.vocabulary.unknown, profiles.rows]))
            self._profile_vectors = self._table("profiles", profiles.vocabulary.n_rows)
            self._drop_profile = StepDropout(0.5, step, seed, "user_tower/drop_profile")
        if match_dim:
            scale = tf.keras.initializers.Constant(math.log(config.text_match_scale))
            self._match_log_scale = self.add_weight("match_log_scale", (), initializer=scale)
            # sigmoid(-0.4) is about .4, where text-only decay does best on validation.
            self._match_decay = self.add_weight(
                "match_decay_logit", (), initializer=tf.keras.initializers.Constant(-0.4)
            )

    def _table(self, name: str, rows: int) -> tf.Variable:
        return self.add_weight(
            name, (rows, self._config.dim), initializer=tf.keras.initializers.RandomNormal(stddev=0.02)
        )

    def call(
        self, history: tf.Tensor, gaps: tf.Tensor, user: tf.Tensor, training: bool = False, profiles: bool = True
    ) -> tf.Tensor:
        """User vectors after each event of the histories.

        Args:
            history: float32 [B, L, dim + match_dim], item vectors, padded with zeros on the right.
            gaps: float32 [B, L], log(1 + days since the event before).
            user: int32 [B], id rows.
            training: whether to drop out.
            profiles: whether to read the users' profiles, if the tower has any.

        Returns:
            float32 [B, L, dim + match_dim]; what stands at padding is meaningless.
        """
        config = self._config
        hidden = history[..., : config.dim] * config.dim**0.5
        if config.position != "time_gap":
            hidden += self._positions[: tf.shape(history)[1]]
        if config.position != "position":
            hidden += self._gap_out(self._gap_hidden(gaps[..., None]))
        hidden = self._drop_input(hidden, training=training)
        for block in self._blocks:
            hidden = block(hidden, training=training)
        learned = self._norm(hidden)
        if config.use_user_id:
            learned += self._user_vectors(user, training)[:, None, :]
        if profiles and self._profiles is not None:
            learned += self._of_profiles(self._profiles, user, training)[:, None, :]
        if not self._match_dim:
            return learned
        match = self._matched(history[..., config.dim :])
        return tf.concat([learned, tf.cast(match, learned.dtype)], axis=-1)

    @property
    def match(self) -> tuple[float, float]:
        """Scale and decay of the match part."""
        return math.exp(float(self._match_log_scale)), float(tf.sigmoid(self._match_decay))

    def set_match(self, scale: float, decay: float) -> None:
        """Set what `match` gives; `decay` lies strictly between 0 and 1."""
        self._match_log_scale.assign(math.log(scale))
        self._match_decay.assign(math.log(decay / (1 - decay)))

    def set_learned_constant(self) -> None:
        """Make the learned part of every user [1, 0, 0, ...], whatever the history; all layers are built."""
        self._norm.gamma.assign(tf.zeros_like(self._norm.gamma))
        self._norm.beta.assign(tf.one_hot(0, self._config.dim))
        if self._config.use_user_id:
            self._users.assign(tf.zeros_like(self._users))
        if self._profiles is not None:
            self._profile_vectors.assign(tf.zeros_like(self._profile_vectors))

    @property
    def profile_vectors(self) -> Float32Array:
        """float32 [R, dim], for each value of each attribute of users; R is 0 where these are not read."""
        if self._profiles is None:
            return np.zeros((0, self._config.dim), np.float32)
        return np.asarray(self._profile_vectors.numpy(), np.float32)

    def numpy_weights(self) -> TowerWeights:
        """The weights; all layers are built."""
        config = self._config
        by_position, by_gap = config.position != "time_gap", config.position != "position"
        scale, decay = self.match if self._match_dim else (1.0, 1.0)
        return TowerWeights(
            dim=config.dim,
            match_dim=self._match_dim,
            max_history=config.max_history,
            positions=self._positions.numpy().astype(np.float64) if by_position else None,
            gaps=(dense_weights(self._gap_hidden), dense_weights(self._gap_out)) if by_gap else None,
            blocks=[block.numpy_weights() for block in self._blocks],
            norm=norm_weights(self._norm),
            users=self._users.numpy().astype(np.float64) if config.use_user_id else None,
            match_scale=scale,
            match_decay=decay,
        )

    def _user_vectors(self, user: tf.Tensor, training: bool) -> tf.Tensor:
        if training:  # so that the row of unknown users is trained and the history must do without an id
            shown = self._drop_user(tf.ones_like(user, tf.float32), training=True) > 0
            user = tf.where(shown, user, OUT_OF_VOCABULARY)
        return tf.gather(self._users, user)

    def _of_profiles(self, profiles: tf.Tensor, user: tf.Tensor, training: bool) -> tf.Tensor:
        if training:  # so that the history must do without a profile
            shown = self._drop_profile(tf.ones_like(user, tf.float32), training=True) > 0
            user = tf.where(shown, user, OUT_OF_VOCABULARY)
        return tf.reduce_sum(tf.gather(self._profile_vectors, tf.gather(profiles, user)), axis=1)

    def _matched(self, text: tf.Tensor) -> tf.Tensor:
        position = tf.range(tf.shape(text)[1])
        back = tf.cast(position[:, None] - position[None, :], tf.float32)
        log_decay = tf.math.log_sigmoid(tf.cast(self._match_decay, tf.float32))
        weights = tf.where(back >= 0, tf.exp(tf.maximum(back, 0.0) * log_decay), 0.0)
        weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
        scale = tf.exp(tf.cast(self._match_log_scale, tf.float32))
        return scale * tf.einsum("pq,bqe->bpe", weights, tf.cast(text, tf.float32))
