"""Connections of clients: what they may send before anybody is asked for an answer, how long, and how many at once."""
