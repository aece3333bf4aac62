"""Live items under a running server: what the store says of items is seen over the bundle that is served."""
