"""All groups of features. Their order here is the order of the columns."""

from __future__ import annotations

from recsys.pipeline.features.brand import BrandFeatures
from recsys.pipeline.features.category import CategoryFeatures
from recsys.pipeline.features.group import FeatureGroup
from recsys.pipeline.features.history import HistoryFeatures
from recsys.pipeline.features.popularity import PopularityFeatures
from recsys.pipeline.features.price import PriceFeatures
from recsys.pipeline.features.primary import PrimaryFeatures
from recsys.pipeline.features.rating import RatingFeatures
from recsys.pipeline.features.source_scores import SourceScoreFeatures
from recsys.pipeline.features.source_sum import SourceSumFeatures

GROUPS: dict[str, type[FeatureGroup]] = {
    "primary": PrimaryFeatures,
    "source_scores": SourceScoreFeatures,
    "popularity": PopularityFeatures,
    "price": PriceFeatures,
    "brand": BrandFeatures,
    "category": CategoryFeatures,
    "history": HistoryFeatures,
    "rating": RatingFeatures,
    "source_sum": SourceSumFeatures,
}
"""By name, which is that of their folder in a bundle."""
