"""The two-tower: a user vector, and the items whose vectors have the highest inner product with it."""

from recsys.sources.two_tower.source import (
    EMBEDDINGS_FILE,
    INDEX_FOLDER,
    PARAMETERS_FILE,
    QUERY_TOWER_FILE,
    TwoTowerReading,
    TwoTowerSource,
)

__all__ = [
    "EMBEDDINGS_FILE",
    "INDEX_FOLDER",
    "PARAMETERS_FILE",
    "QUERY_TOWER_FILE",
    "TwoTowerReading",
    "TwoTowerSource",
]
