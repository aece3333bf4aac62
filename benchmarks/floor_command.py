"""`python -m serve` with the floor in addition (benchmarks/floor.py), in every worker.

    python -m benchmarks.floor_command --bundle saved_model/beauty --workers 2

Each worker imports this module anew before it makes its app.
"""

from __future__ import annotations

import sys
from functools import wraps
from typing import Any

from fastapi import FastAPI

import serve.app
from benchmarks.floor import with_floor
from serve.__main__ import main

create_app = serve.app.create_app


@wraps(create_app)
def create_app_with_floor(*arguments: Any, **named: Any) -> FastAPI:
    """What `serve.app.create_app` makes, with the floor."""
    return with_floor(create_app(*arguments, **named))


serve.app.create_app = create_app_with_floor

if __name__ == "__main__":
    sys.exit(main())
