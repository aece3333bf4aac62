"""The shop's rules over HTTP: read, changed, tried out."""
