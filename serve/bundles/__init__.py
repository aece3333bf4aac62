"""The bundle that is served, and how another replaces it."""
