"""Texts of devices, files and requests stay text on the pages that only a form or a program leads to."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from promsnmp.inventory.model import Device
from promsnmp.web.edit.viewer import Unknown
from promsnmp.web.interface import WebInterface
from promsnmp.web.peers.statuses import PeerReport
from tests.support.notifications import notification, passed
from tests.support.web.hostile import HOSTILE, check_harmless
from tests.support.web.html import Page
from tests.support.web.interface import ME, broken, device, interface, up

VIEWER = Unknown("token", may_change=True, form_token="f" * 64)
SENDER: Any = SimpleNamespace(who="me", request_id="", viewer=VIEWER)
PLAIN = "plain"
TEXTS = ("".join(text for name, text in HOSTILE.items() if name != "long"), HOSTILE["long"])
NAMES = (
    "service/targets",
    "service/health",
    "explain",
    "confirm",
    "check",
    "error",
    "login",
    "add",
    "replicas",
    "traps",
)


def hostile(text: str) -> Device:
    return device(1, sys_name=text, labels=(("site", text),), sys_location=text, modules=("system",))


async def made(name: str, text: str) -> str:
    """A page that has ``text`` wherever somebody else may put it."""
    one = hostile(text)
    other = replace(ME, name=text, instance=text, address=text)
    pages: WebInterface = interface(
        {one: up()},
        components={"inventory": broken(text)},
        members=(ME, other),
        report=PeerReport(problems={text: text}),
        traps=[replace(passed(notification(device_id=text, device_name=text, sender=text)), name=text, text=text)],
    )
    match name:
        case "confirm":
            form = {"id": [one.id], "action": ["labels"]}
        case "check":
            content = f"modules:\n  {text!r}: {{walk: [1.3.6], {text!r}: 1}}\n"
            form = {"file.filename": [text], "file": [content]}
        case "add":
            short = text[:1_000]  # what is entered comes back whole
            form = {"name": [short], "address": [short], "labels": [short], "modules": [short], "port": [short]}
        case "error":
            return pages.error_page(f"/devices/{text}", 400, text, [text, text])
        case "login":
            shown = {"asks_name": True, "takes_token": True, "session": text, "error": text, "hint": text}
            return pages.login_page(VIEWER, next_path=text, **shown)
        case _:
            return (await pages.page(name, item=one.id if name == "explain" else "", viewer=VIEWER))[1]
    return (await pages.submit(name, cast("Any", form), SENDER))[1]


@pytest.mark.parametrize("name", NAMES)
async def test_texts_stay_text(name: str) -> None:
    plain = await made(name, PLAIN)
    assert Page(plain).unclosed == []
    for text in TEXTS:
        html = await made(name, text)
        check_harmless(html, plain + "<ul><li></li></ul><textarea></textarea><p role='alert'></p><code></code>")
