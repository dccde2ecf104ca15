"""The page of the last traps, and those of a device on its page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from promsnmp.cluster.members.members import Member
from promsnmp.errors import PeerError
from promsnmp.snmp.credentials import SecurityLevel
from promsnmp.traps.confirm.object_states import Finding
from promsnmp.traps.follow_up.recent import RecentTraps
from promsnmp.web.pages.traps import SIZE, traps_view
from promsnmp.web.peers.recent_traps import LIFETIME, TrapExchange, TrapReport
from tests.support.notifications import COLD_START, link, notification, passed
from tests.support.web.html import Page
from tests.support.web.interface import device, interface, up

SOURCES: Any = SimpleNamespace(receives_traps=True)


def recent_traps() -> RecentTraps:
    recent = RecentTraps()
    confirmed = passed(link(received_at=1000.0))
    for one in (
        confirmed,
        passed(notification(COLD_START, device_id="edge-id", device_name="edge", sender="192.0.2.9",
                            level=SecurityLevel.AUTH_PRIV, received_at=1001.0)),
    ):  # fmt: skip
        recent.add(one)
    recent.confirm(confirmed.notification.id, Finding.NOT_CONFIRMED)
    return recent


@pytest.mark.parametrize(
    ("query", "devices"),
    [
        ("", ["edge", "core1"]),
        ("device=CORE", ["core1"]),
        ("device=192.0.2.9", ["edge"]),
        ("trap=linkd", ["core1"]),
        ("severity=critical", []),
        ("severity=nonsense", ["edge", "core1"]),
        ("confirmation=not_confirmed", ["core1"]),
        ("confirmation=not_confirmed&device=edge", []),
    ],
)
def test_filters(query: str, devices: list[str]) -> None:
    pairs = [tuple(pair.split("=")) for pair in query.split("&") if pair]
    values = traps_view(SOURCES, TrapReport(list(recent_traps())), cast("Any", pairs))
    assert [one.device for one in cast("Any", values["traps"])] == devices


def test_long_lists_have_pages_whose_links_keep_the_filters() -> None:
    traps = list(recent_traps())[1:] * (SIZE + 1)
    values: Any = traps_view(SOURCES, TrapReport(traps), [("trap", "link"), ("page", "2")])
    assert (len(values["traps"]), values["pages"]) == (1, 2)
    assert values["url_of"](2) == "traps?trap=link&page=2"


async def test_the_page_and_the_devices_page_show_traps() -> None:
    one = device(1)
    sent = passed(notification(device_id=one.id, device_name=one.sys_name))
    pages = interface({one: up()}, traps=[sent, passed(link())])
    status, html = await pages.page("traps", query=[("severity", "warning")])
    assert status == 200
    page = Page(html)
    assert "core1" in page.text
    assert page.unclosed == []
    _, fragment = await pages.page("traps", is_fragment=True)
    assert "<html" not in fragment
    _, html = await pages.page("device", item=one.id)
    assert "Last traps 1" in Page(html).text


async def test_the_traps_of_all_replicas_are_shown_and_the_silent_ones_named() -> None:
    now, asked = [0.0], list[str]()
    there = RecentTraps()
    there.add(passed(link(received_at=2000.0)))

    async def request(address: str, *_: object, **__: object) -> object:
        asked.append(address)
        if address == "silent":
            raise PeerError("no answer")
        return SimpleNamespace(status=200, body=there.message() if address == "good" else b'{"traps": [1]}')

    others = tuple(Member(name, name, name, 0.0) for name in ("good", "silent", "wrong"))
    cluster: Any = SimpleNamespace(
        has_peers=True, members=SimpleNamespace(others=others), peers=SimpleNamespace(request=request)
    )
    exchange = TrapExchange(cluster, recent_traps(), clock=lambda: now[0])
    report = await exchange.report()
    assert [one.at for one in report.traps] == [2000.0, 1001.0, 1000.0]
    assert set(report.problems) == {"silent", "wrong"}
    assert await exchange.report() is report
    now[0] += LIFETIME
    await exchange.report()
    assert sorted(asked) == ["good", "good", "silent", "wrong"]
