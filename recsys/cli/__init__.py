"""The commands `recsys prepare | train | evaluate | serve | demo | sample`."""

from recsys.cli.app import main

__all__ = ["main"]
