"""The histories of users at a moment: those of a bundle and the events of a store, merged."""
