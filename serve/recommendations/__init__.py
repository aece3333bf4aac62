"""Recommendations for users and sessions."""
