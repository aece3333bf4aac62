"""What all addresses of the API share: keys, limits, telemetry, problems, types."""
