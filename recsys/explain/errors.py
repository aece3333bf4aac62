"""What cannot be explained."""

from __future__ import annotations

from recsys.core.errors import RecsysError


class QuestionError(RecsysError):
    """A question about an item that has no answer for this query, such as a reference that was not ranked."""
