"""Events: what users did."""
