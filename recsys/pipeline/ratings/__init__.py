"""Predicting the rating that a user would give an item: statistics of ratings, tastes, and the rating head."""
