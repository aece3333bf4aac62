"""What the model needs of a prepared dataset, as arrays: item attributes and a start for the item ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from recsys.config import Config
from recsys.core.histories import Histories
from recsys.core.profiles import Profiles, ProfileType
from recsys.core.types import Float32Array, Int64Array
from recsys.encoding.price_scale import PriceScale
from recsys.encoding.vocabulary import ItemVocabulary
from recsys.models import ItemFeatures
from recsys.pipeline.ratings.factors_fit import fit_ratings
from recsys.pipeline.ratings.statistics import FEATURES, RatingStatistics
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.text import ItemText

RATING_FACTORS = 24  # width of the item vectors in which users' tastes in ratings are linear
ID_SCALE = 0.02  # standard deviation of randomly initialised item ids; an SVD starts as small


@dataclass(frozen=True)
class ModelInputs:
    """Everything a model is built from and trained on.

    Attributes:
        histories: of train; row b is user row b.
        features: attributes of the N items.
        item_counts: int64 [N], train interactions of each item.
        statistics: of the train ratings; None where there are none.
        rating_features: float32 [T, F], of every train interaction.
        item_init: float32 [N, dim], start of the item ids; None for a random one.
        vocabulary: of brands and categories.
        price_scale: of prices.
        text: embeddings of the items' texts and the encoder they are from.
        profiles: of the users; None: the user tower reads no attributes.
    """

    histories: Histories
    features: ItemFeatures
    item_counts: Int64Array
    statistics: RatingStatistics | None
    rating_features: Float32Array
    item_init: Float32Array | None
    vocabulary: ItemVocabulary
    price_scale: PriceScale
    text: ItemText
    profiles: Profiles | None

    @property
    def rating_start(self) -> Float32Array | None:
        """float32 [F], least-squares weights of the rating features, where the rating head starts; None: no ratings."""
        if self.statistics is None:
            return None
        rated = np.isfinite(self.histories.ratings)
        deviations = self.histories.ratings[rated] - self.statistics.global_mean
        return np.linalg.lstsq(self.rating_features[rated], deviations)[0].astype(np.float32)

    @classmethod
    def of(cls, dataset: PreparedDataset, text: ItemText, config: Config) -> ModelInputs:
        """The inputs that a prepared dataset gives; what is fitted on interactions is fitted on train."""
        histories = dataset.histories((c.TRAIN,))
        statistics = None
        rating_features = np.zeros((len(histories.items), len(FEATURES)), np.float32)
        if np.isfinite(histories.ratings).any():
            # Which items occur together says nothing of their ratings: these vectors know none.
            vectors = svd_item_vectors(histories, dataset.n_items, RATING_FACTORS, config.seed)
            statistics = fit_ratings(histories, vectors, config.ranking.damping)
            rating_features = statistics.prefix_features(histories)
        vocabulary = ItemVocabulary.fit(dataset.items[c.BRAND], dataset.items[c.CATEGORIES])
        prices = dataset.items[c.PRICE].to_numpy(np.float64, na_value=np.nan)
        price_scale = PriceScale.fit(prices)
        item_init = None
        if config.model.use_item_id and config.model.item_id_init == "svd":
            item_init = svd_item_vectors(histories, dataset.n_items, config.model.dim, config.seed)
        return cls(
            histories=histories,
            features=ItemFeatures(
                text=text.embeddings,
                brand=vocabulary.brand_rows(dataset.items[c.BRAND]),
                categories=vocabulary.category_rows(dataset.items[c.CATEGORIES]),
                price=price_scale.apply(prices),
                n_brands=vocabulary.n_brands,
                n_categories=vocabulary.n_categories,
            ),
            item_counts=np.bincount(histories.items, minlength=dataset.n_items),
            statistics=statistics,
            rating_features=rating_features,
            item_init=item_init,
            vocabulary=vocabulary,
            price_scale=price_scale,
            text=text,
            profiles=_profiles(dataset, config),
        )

    def describe(self) -> Mapping[str, Any]:
        """What it takes to give the item tower an item it has not seen: encoder, vocabulary, price scale."""
        return {
            "text_encoder": self.text.encoder,
            "text_weights_sha256": self.text.weights_sha256,
            "price_scale": asdict(self.price_scale),
            "vocabulary": asdict(self.vocabulary),
        }


def _profiles(dataset: PreparedDataset, config: Config) -> Profiles | None:
    names = config.model.user_attributes
    if not names:
        return None
    types, values = dataset.user_attributes, dataset.user_attribute_values
    # `Config` has checked that these are attributes of users, and none of type texts.
    kinds = {name: cast(ProfileType, types[name]) for name in names}
    return Profiles.fit(kinds, {name: values[name] for name in names}, dataset.n_users)


def svd_item_vectors(histories: Histories, n_items: int, dim: int, seed: int) -> Float32Array:
    """Item vectors from a truncated SVD of the user-item matrix: items bought by the same users start close.

    Entries are TF-IDF weighted (Salton and Buckley, 1988) so that neither heavy users nor popular
    items rule the leading directions; singular values enter by their square root.

    Returns:
        float32 [n_items, dim], of standard deviation `ID_SCALE` over the items that occur; an item
        that does not, and dimensions beyond the matrix's rank, are zero.
    """
    counts = np.bincount(histories.items, minlength=n_items)
    idf = np.log(np.maximum(len(histories) / np.maximum(counts, 1), 1))
    weights = idf[histories.items]
    matrix = sp.csr_array((weights, histories.items, histories.indptr), shape=(len(histories), n_items))
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    matrix = sp.diags_array(1.0 / np.maximum(norms, 1e-12)) @ matrix
    rank = min(dim, *(size - 1 for size in matrix.shape))
    vectors = np.zeros((n_items, dim), np.float32)
    if rank < 1 or not weights.any():
        return vectors
    start = np.random.default_rng(seed).standard_normal(min(matrix.shape))
    _, values, right = svds(matrix, k=rank, v0=start)
    vectors[:, :rank] = (right * np.sqrt(values)[:, None]).T
    spread = vectors[counts > 0].std()
    return vectors * np.float32(ID_SCALE / spread) if spread > 0 else vectors
