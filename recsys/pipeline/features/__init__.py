"""What the ranker sees of a candidate, one file a group of features; `registry` lists them."""

from recsys.pipeline.features.candidate_features import CandidateFeatures
from recsys.pipeline.features.group import (
    CatalogueData,
    CategoryPlace,
    ChangedItems,
    FeatureGroup,
    FeatureInput,
    FeatureParts,
)

__all__ = [
    "CandidateFeatures",
    "CatalogueData",
    "CategoryPlace",
    "ChangedItems",
    "FeatureGroup",
    "FeatureInput",
    "FeatureParts",
]
