"""The page of discovery: progress, what becomes of devices, seeds, the schedule, the check of what one types."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from promsnmp.discovery.jobs import DiscoveredDevice, Job, JobState, SearchPlan
from promsnmp.discovery.reconcile.merge import SightingKind
from promsnmp.discovery.scan.sweep import Progress
from promsnmp.discovery.scan.target_syntax import read_scope
from promsnmp.inventory.model import AgentEndpoint, IdentityChange, Seed
from promsnmp.snmp.credentials import Community, User
from promsnmp.web.edit.viewer import Unknown
from promsnmp.web.pages.discovery import MOST_DEVICES
from tests.support.web.hostile import HOSTILE, check_harmless
from tests.support.web.html import Page
from tests.support.web.interface import NOW, device, interface

MANAGER = Unknown("token", may_change=True, form_token="f" * 64)


def job(text: str = "10.0.0.0/24", **fields: Any) -> Job:
    """A search that runs, with a device of each kind."""
    scope, _ = read_scope(["10.0.0.0/24"])
    plan = SearchPlan(targets=(text,), scope=scope, credentials=(), problems=(text,))
    made = Job(plan, NOW - 20, state=JobState.RUNNING, started=NOW - 10, refusing=[text], packets_per_address=2)
    made.progress = Progress(addresses=254, probed=127, answered=9, found=8, packets=300, errors=Counter({text: 3}))
    changed = device(4, sys_name=text, identity_change=IdentityChange("2026-01-01T00:00:00Z", (text,)))
    kinds = {
        device(1, sys_name=text): (SightingKind.ADDED, True),
        device(2, vendor=text): (SightingKind.SEEN, True),
        device(3): (SightingKind.SEEN, False),
        changed: (SightingKind.SEEN, False),
        device(5): (SightingKind.ANOTHER_ADDRESS, True),
        device(6): (SightingKind.REPLACED, True),
    }
    for one, (kind, updated) in kinds.items():
        made.discovered_devices[one.id] = DiscoveredDevice(kind, one, [AgentEndpoint("10.0.0.1")], updated)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def seed(text: str = "10.1.0.0/16") -> Seed:
    return Seed("7f7a1c7e-0000-4000-8000-000000000001", (text,), (Community(community="s3cret"), User(name=text)))


async def test_progress_says_how_far_it_is_and_what_became_of_devices() -> None:
    one = job()
    status, html = await interface({}, jobs=[one]).page("discovery", viewer=MANAGER)
    page = Page(html)
    assert (status, page.unclosed) == (200, [])
    assert "127 of 254 addresses, about 6.9 s left" in page.text
    assert "Answered 9" in page.text
    assert "Errors: 10.0.0.0/24 3" in page.text
    fates = [row[0].split()[0] for row in page.rows if len(row) == 4]
    assert fates[1:] == ["conflict", "merged", "conflict", "unchanged", "updated", "new"]
    assert f"discovery/jobs/{one.id}/stop" in html
    assert f'data-events="discovery/events?job={one.id}"' in html


async def test_who_may_not_change_anything_gets_no_forms() -> None:
    _, html = await interface({}, jobs=[job()], seeds=[seed()]).page("discovery")
    assert 'method="post"' not in html
    assert "127 of 254 addresses" in Page(html).text


async def test_seeds_show_kinds_of_credentials_and_no_secrets() -> None:
    _, html = await interface({}, seeds=[seed()]).page("discovery", viewer=MANAGER)
    assert "s3cret" not in html
    assert ["10.1.0.0/16", "SNMP v2c, community; SNMP v3, user 10.1.0.0/16, noAuthNoPriv"] in [
        row[:2] for row in Page(html).rows
    ]


async def test_the_next_five_runs_are_in_utc_for_who_has_no_script() -> None:
    _, html = await interface({}).page("discovery")
    times = [attributes for name, attributes in Page(html).elements if name == "time"]
    assert [one["class"] for one in times] == ["local"] * 5
    assert str(times[0]["datetime"]).endswith("Z")


async def test_a_refused_form_keeps_what_was_entered_but_secrets() -> None:
    query = [("targets", "10.0.0.0/33"), ("auth", "public_v2"), ("problem", "potentialTargets[0]: wrong")]
    _, html = await interface({}).page("discovery", query=query, viewer=MANAGER)
    page = Page(html)
    assert "potentialTargets[0]: wrong" in page.text
    assert "10.0.0.0/33" in page.text
    checked = [one["value"] for name, one in page.elements if name == "input" and "checked" in one]
    assert checked == ["public_v2"]
    assert [one for name, one in page.elements if one.get("type") == "password" and one.get("value")] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0/24 10.0.1.1-10", "264 addresses, 2.2 s at"),
        ("10.0.0.1", "1 address, 2.0 s at"),
        ("core.example", "1 address (1 by name)"),
        ("10.0.0.0/8", "set force to search it anyway"),
        ("10.0.0.0/33, 10.0.0.1", "not a network"),
        ("", "separated by spaces"),
    ],
)
async def test_what_is_typed_is_counted_and_checked(text: str, expected: str) -> None:
    status, html = await interface({}).page("check", query=[("targets", text), ("auth", "public_v2")], is_fragment=True)
    assert status == 200
    assert expected in Page(html).text
    assert "<html" not in html


async def test_a_long_search_lists_the_last_devices_only() -> None:
    many = {
        one.id: DiscoveredDevice(SightingKind.ADDED, one, [AgentEndpoint("10.0.0.1")], updated=True)
        for one in map(device, range(1, 1001))
    }
    _, html = await interface({}, jobs=[job(discovered_devices=many)]).page("discovery", is_fragment=True)
    page = Page(html)
    assert len(page.rows) == MOST_DEVICES + 1
    assert "switch-1000" in page.rows[1]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_texts_stay_text(text: str) -> None:
    query = [("problem", "x"), ("targets", "x")]
    _, plain = await interface({}, jobs=[job(), job()], seeds=[seed()]).page("discovery", query=query, viewer=MANAGER)
    query = [*((name, text) for name in ("problem", "targets", "exclude", "neighbours", "port", "auth"))]
    pages = interface({}, jobs=[job(text, error=text), job(text)], seeds=[seed(text)])
    _, html = await pages.page("discovery", query=query, viewer=MANAGER)
    check_harmless(html, plain)
    _, html = await pages.page("check", query=[("targets", text), ("exclude", text)], is_fragment=True)
    check_harmless(html, "<br><span></span>")
