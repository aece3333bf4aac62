"""The two-tower: a user vector, and the items whose vectors have the highest inner product with it."""
