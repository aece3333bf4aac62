"""`python -m serve.alive`: exit code 0 while the server of this container lives, for images that hold no curl.

It reads the port from the environment alone and imports next to nothing: it runs every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys

PORT, TIMEOUT_S = "8000", 4.0


def main() -> int:
    """Ask /health on this machine; what is wrong goes to the standard error stream, and 1 is returned."""
    port = os.environ.get("RECSYS_PORT", PORT)
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer from port {port}: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if status != http.client.OK:
        print(f"/health answers {status}", file=sys.stderr)
    return int(status != http.client.OK)


if __name__ == "__main__":
    sys.exit(main())
