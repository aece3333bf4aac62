"""What proposes items and scores them: a folder for each kind, and what all share (protocol, registry, readings)."""
