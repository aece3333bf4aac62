"""Whether explanations are true of the recommender: what happens to an item when what explains it is gone."""
