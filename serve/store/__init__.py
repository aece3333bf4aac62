"""The server's side of the store: it may be down, and must not grow for ever."""
