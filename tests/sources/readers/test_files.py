"""Files with devices, watched: replaced, removed, unreadable, and mounted from a ConfigMap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from promsnmp.errors import SourceError
from promsnmp.sources.readers.document import Defaults
from promsnmp.sources.readers.files import FileReader

DEFAULTS = Defaults(credentials="campus")


def device(number: int) -> str:
    return f'[{{"address": "192.0.2.{number}"}}]'


async def keys(reader: FileReader) -> list[str]:
    return [one.endpoint.address for one in (await reader.read()).devices]


async def test_files_of_a_pattern_are_read_in_order_and_watched(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("- address: 192.0.2.2")
    (tmp_path / "a.json").write_text(device(1))
    reader = FileReader(str(tmp_path / "*.[jy]*"), DEFAULTS)
    assert not await reader.has_changed(), "what has not been read has not changed"
    assert await keys(reader) == ["192.0.2.1", "192.0.2.2"]
    assert not await reader.has_changed()
    (tmp_path / "c.yaml").write_text("- targets: [192.0.2.3]")
    assert await reader.has_changed()
    assert await keys(reader) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    (tmp_path / "new").write_text(device(9))
    (tmp_path / "new").replace(tmp_path / "a.json")
    assert await reader.has_changed()
    assert await keys(reader) == ["192.0.2.9", "192.0.2.2", "192.0.2.3"]


async def test_a_mounted_config_map_is_replaced_by_one_link(tmp_path: Path) -> None:
    """As kubelet's AtomicWriter does: data in a folder with a timestamp, ``..data`` renamed over the link before."""

    def write(version: str, text: str) -> None:
        folder = tmp_path / f"..2026_12_01_{version}"
        folder.mkdir()
        (folder / "devices.yml").write_text(text)
        os.utime(folder / "devices.yml", (1, 1))  # the content decides nothing: the times may be the same
        (tmp_path / "..data_tmp").symlink_to(folder.name)
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    write("1", "- address: 192.0.2.1")
    (tmp_path / "devices.yml").symlink_to("..data/devices.yml")
    assert await keys(FileReader(str(tmp_path / "devices.yml"), DEFAULTS)) == ["192.0.2.1"]
    reader = FileReader(str(tmp_path / "*.yml"), DEFAULTS)
    assert await keys(reader) == ["192.0.2.1"]
    write("2", "- address: 192.0.2.2")
    assert await reader.has_changed()
    assert await keys(reader) == ["192.0.2.2"]
    assert not await reader.has_changed()


async def test_a_file_that_is_gone_or_broken_is_no_empty_source(tmp_path: Path) -> None:
    path = tmp_path / "devices.json"
    for reader in (FileReader(str(path), DEFAULTS), FileReader(str(tmp_path / "*.json"), DEFAULTS)):
        with pytest.raises(SourceError):
            await reader.read()
    path.write_text(device(1))
    assert await reader.has_changed()
    assert await keys(reader) == ["192.0.2.1"]
    path.write_text('[{"address": "192.0.2.1", "s3cret')
    with pytest.raises(SourceError) as caught:
        await reader.read()
    assert "devices.json" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    path.unlink()
    assert await reader.has_changed()
