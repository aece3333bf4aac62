"""The histories of users at a moment."""
