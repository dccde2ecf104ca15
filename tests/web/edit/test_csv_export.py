"""The export of many devices: part by part, and no cell that a spreadsheet runs."""

from __future__ import annotations

import csv
import io

import pytest

from promsnmp.web.edit.csv_export import COLUMNS, PART_ROWS, safe_cell
from tests.support.web.interface import device, interface, up


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1", "\uff1dcmd", "\u00a0=1", "\u200b=1", "\x00=1"]
)
def test_a_cell_never_begins_like_a_formula(text: str) -> None:
    assert safe_cell(text).lstrip()[:1] not in ("=", "+", "-", "@", "\uff1d", "\t")


@pytest.mark.parametrize("text", ["switch-1", "10.0.0.1", "a=b", "", "1 - 2", "2026-01-01T00:00:00Z", "<1 ms"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


async def test_twenty_thousand_devices_are_written_in_small_parts() -> None:
    pages = interface({device(number): up() for number in range(1, 20_001)})
    parts = [part async for part in await pages.csv([("sort", "address")])]
    assert len(parts) == 1 + 20_000 // PART_ROWS
    assert max(map(len, parts)) < 100_000
    rows = list(csv.reader(io.StringIO(b"".join(parts).decode("utf-8-sig"))))
    assert rows[0] == list(COLUMNS)
    assert len(rows) == 20_001
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert rows[-1][1] == "switch-20000"
    with pytest.raises(ValueError, match="unknown filter"):
        await pages.csv([("nonsense", "1")])
