"""Towers, losses and the two-tower model in TensorFlow. Knows arrays, no files."""

from recsys.models.item_features import ItemFeatures
from recsys.models.two_tower import TwoTower

__all__ = ["ItemFeatures", "TwoTower"]
