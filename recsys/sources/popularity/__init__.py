"""The most popular items, the same for all users."""
