"""Why the items of a list are there, for next to nothing: in the time that a request for the list may spend on it."""

from recsys.explain.cheap.facts import CheapFacts
from recsys.explain.cheap.reasons import CheapReasons, Reasons

__all__ = ["CheapFacts", "CheapReasons", "Reasons"]
