"""The most popular items, the same for all users."""

from recsys.sources.popularity.source import Popularity

__all__ = ["Popularity"]
