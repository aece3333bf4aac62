"""The bundle that is served, and how another takes its place."""
