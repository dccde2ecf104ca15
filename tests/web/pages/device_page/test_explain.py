"""The page of an explained poll: its sections, hostile texts, what cannot be explained."""

from __future__ import annotations

import asyncio

import pytest

from promsnmp.modules.catalogue import Catalogue, builtin_catalogue
from promsnmp.polling.explain.explain import explain
from promsnmp.polling.explain.health import explain_health
from promsnmp.polling.explain.model import Explanation
from promsnmp.polling.explain.recorder import PollRecording
from promsnmp.polling.options import CollectorOptions
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import DEMO
from promsnmp.sim.mib import Mib
from promsnmp.web.interface import WebInterface
from tests.support.agents.polled_devices import target_of
from tests.support.web.html import Page
from tests.support.web.interface import device, interface, up
from tests.support.web.polled import MARKUP, hostile

CATALOGUE = builtin_catalogue()


async def explained(mib: Mib, *modules: str, catalogue: Catalogue = CATALOGUE) -> Explanation:
    async with SimulatedAgent(mib) as agent:
        until = asyncio.get_running_loop().time() + 10
        return await explain(target_of(agent, *modules), catalogue, deadline=until, recording=PollRecording())


async def shown(pages: WebInterface, status: int = 200, **query: str) -> Page:
    found, html = await pages.page("explain", item="switch-1", query=list(query.items()))
    assert found == status, html
    made = Page(html)
    assert made.unclosed == []
    return made


async def test_each_section_says_what_was_asked_made_and_missing() -> None:
    found = await explained(DEMO[0]().mib, "auto")
    page = await shown(interface({device(1): up()}, explanation=found))
    for heading in ("Why these modules", "How it was polled", "Missing metrics", "Requests", "Metrics made"):
        assert heading in page.text
    assert {"if_mib", "ifHCInOctets"} <= {row[0] for row in page.rows if row}
    missing = next(group for group in found.metrics if group.reason)
    assert missing.reason[:60] in page.text
    assert missing.name in page.text
    assert f"../../devices/{device(1).id}" in page.links()
    assert all(not link.startswith("/") for link in page.links())


async def test_the_health_of_a_device_is_explained_too() -> None:
    async with SimulatedAgent(DEMO[0]().mib) as agent:
        until = asyncio.get_running_loop().time() + 10
        found = await explain_health(
            target_of(agent, "auto"), CATALOGUE, deadline=until, recording=PollRecording(), options=CollectorOptions()
        )
    page = await shown(interface({device(1): up()}, health_explanation=found), about="health")
    assert {name for name, _ in found.definitions} <= {row[0] for row in page.rows if row}
    assert "Missing kinds" in page.text


async def test_hostile_texts_stay_text() -> None:
    page = await shown(interface({device(1): up()}, explanation=await explained(hostile(), "system", "if_mib")))
    assert MARKUP.partition('"')[0] in page.text
    assert not {"img", "i"} & page.names()
    assert len(page.text) < 200_000
    names = {attribute for _, attributes in page.elements for attribute in attributes}
    assert [name for name in names if name.startswith("on")] == []


@pytest.mark.parametrize("about", ["modules", "health", "<b>"])
async def test_a_device_that_does_not_answer_is_502_with_the_reason(about: str) -> None:
    page = await shown(interface({device(1): up()}), 502, about=about)
    assert "switch-1: no response" in page.text
    assert "Try again" in page.text


async def test_an_unknown_device_is_404_with_working_links() -> None:
    status, html = await interface({}).page("explain", item="nobody", query=[])
    assert status == 404
    assert 'href="../../web/web.css"' in html
