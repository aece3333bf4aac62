"""Write the app's OpenAPI document into a file: `python -m tools.openapi_document FILE`.

The dashboard's types are generated from it (`npm run api` in dashboard/).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.api_page import api_document

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(api_document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
