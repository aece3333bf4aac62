"""Items: one by its id, similar ones, popular ones, and search."""
