"""The steps, in order; a published one is never edited."""
