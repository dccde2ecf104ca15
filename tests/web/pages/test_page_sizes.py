"""What a browser loads when it first opens a page: less than 300 kB compressed, with everything that the page names."""

from __future__ import annotations

from importlib import resources

import pytest

from promsnmp.http.routes.pages import swagger
from promsnmp.inventory.model import Device
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.support.compression import compress
from promsnmp.web.edit.viewer import Unknown
from promsnmp.web.interface import WebInterface
from tests.support.web import neighbours as says
from tests.support.web.html import Page
from tests.support.web.interface import device, down, interface, up

MOST = 300_000
EDITOR = Unknown("token", may_change=True, form_token="f" * 64)
COUNT = 2_000
PAGES = (
    "overview", "devices", "device", "replicas", "modules", "discovery", "browse", "map", "explain", "service/targets",
    "service/health", "edit", "add", "remove",
)  # fmt: skip


@pytest.fixture(scope="module")
def pages() -> WebInterface:
    """2,000 devices with links, whose first one has 1,000 interfaces."""
    devices: dict[Device, PollStatus | None] = {
        device(number): up() if number % 9 else down("no response from the device") for number in range(1, COUNT + 1)
    }
    texts = {f"switch-{number}": says.lldp(1, "p1", f"switch-{number // 9 + 1}", "x") for number in range(2, COUNT + 1)}
    texts["switch-1"] = "".join(
        f'{name}{{ifAlias="customer {row * 7919 % 1000}",ifIndex="{row}",ifName="ge-0/0/{row}"}} {row * 31 % 97}\n'
        for name in ("ifOperStatus", "ifHighSpeed", "ifInErrors", "ifHCInOctets")
        for row in range(1, 1_001)
    )
    return interface(devices, pages=texts)


@pytest.mark.parametrize("name", PAGES)
async def test_the_first_view_of_a_page(pages: WebInterface, name: str) -> None:
    item = device(1).id if name in ("device", "explain", "edit", "remove") else ""
    _, html = await pages.page(name, item=item, viewer=EDITOR)
    loaded = {
        attributes[key] or ""
        for element, attributes in Page(html).elements
        for key in ("src", "href")
        if key in attributes and element in ("script", "link", "img")
    }
    assert loaded
    size = len(compress(html.encode()))
    for one in loaded:
        file = pages.asset(one.rpartition("/")[2])
        assert file is not None, one
        size += len(compress(file[1]))
    assert size < MOST, f"{name}: {size} bytes"


def test_the_api_in_the_browser_is_as_small_as_its_program() -> None:
    folder = resources.files("promsnmp.http.routes.pages").joinpath("swagger_ui")
    sizes = {name: len(compress(folder.joinpath(name).read_bytes())) for name in swagger.ASSETS}
    assert sum(sizes.values()) < 600_000, sizes
