"""The server itself: is it alive, what does it serve, how is it doing."""
