"""Rescoring of candidates: features, the rating head, and the recommender that composes the stages."""
