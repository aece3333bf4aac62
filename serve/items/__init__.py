"""Items: one, similar ones, popular ones, found ones."""
