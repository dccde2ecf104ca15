"""Writes docs/schema/promsnmp.schema.json, the JSON schema of promsnmp.yml, from ``promsnmp.settings``.

    python -m scripts.pages.config_schema

A test fails if the page and the code differ. The copy in ``deploy/`` is part of the wheel (``promsnmp assets export``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from promsnmp.settings.reading.schema import schema

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "schema" / "promsnmp.schema.json"
COPY = ROOT / "deploy" / "promsnmp.schema.json"


def main() -> int:
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    for path in (PAGE, COPY):
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
