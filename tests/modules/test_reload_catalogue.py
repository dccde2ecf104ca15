"""Reloading the module files: the new catalogue, or the old one and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.catalogue import CatalogueStore, load_catalogue
from promsnmp.modules.reload_catalogue import catalogue_component, reload_catalogue
from promsnmp.modules.snmp_yml.read_options import STRICT

ONE = "modules:\n  one:\n    walk: [1.3.6.1.2.1.1]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "snmp.yml"
    path.write_text(ONE)
    return path


async def test_a_changed_file_replaces_the_catalogue(file: Path) -> None:
    store = CatalogueStore(load_catalogue([str(file)]))
    file.write_text(ONE.replace("one", "two"))
    await reload_catalogue(store, [str(file)], options=STRICT, needed=["two"])
    assert "two" in store.current.modules
    assert "one" not in store.current.modules
    assert "error" not in catalogue_component(store).details


@pytest.mark.parametrize(("text", "needed"), [("a: [\n", ()), (ONE, ("three",))])
async def test_a_wrong_file_or_a_missing_module_keeps_the_catalogue(
    file: Path, text: str, needed: tuple[str, ...]
) -> None:
    store = CatalogueStore(load_catalogue([str(file)]))
    before = store.current
    file.write_text(text)
    with pytest.raises(ModuleError) as caught:
        await reload_catalogue(store, [str(file)], options=STRICT, needed=needed)
    assert store.current is before
    assert catalogue_component(store).details["error"] == str(caught.value)
