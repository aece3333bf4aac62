"""Users: a listing and profiles."""
