"""The page of discovery: its form, the progress of searches as events, and what a person can start and stop.

The rules are those of the API (``http/routes/discovery.py``); this file turns forms into its requests, and its answers
into pages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from promsnmp.cluster.peers.forward_write import ForwardedRequest
from promsnmp.discovery.jobs import ENDED_STATES
from promsnmp.discovery.request import read_request
from promsnmp.errors import DiscoveryBusy, InventoryError, InventoryInvalid, ModuleError, NotLeader, OutcomeUnknown
from promsnmp.http.middleware.forwarding import forwarded_user, target_of
from promsnmp.http.middleware.page_errors import PAGE_HEADERS, is_fragment, to_overview
from promsnmp.http.middleware.page_forms import form_of
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.errors import RETRY, ApiError, inventory_refusal
from promsnmp.http.responses.events import event
from promsnmp.http.responses.forms import Form, first
from promsnmp.http.route_policy import AccessLevel, page_access
from promsnmp.http.routes.discovery import accept_search, no_seed, remove_seeds, stop_search
from promsnmp.http.routes.pages.answers import (
    PageRequest,
    page_answer,
    page_request_of,
    people_of,
    require_pages,
    sender_of,
)
from promsnmp.http.routes.pages.search_form import search_document
from promsnmp.http.services import Services, ServicesDep, caller, request_id

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_pages)])

MAX_FORM = 1024 * 1024
"""Bytes of a form: some ten thousand addresses, one by one."""
_SHOWN = ("job", "targets", "exclude", "neighbours", "port", "force", "save", "auth", "version", "credentials_name")
"""Parameters, and fields of a refused form, that the page shows: no secrets."""
TICK, TICK_FROM_LEADER = 1.0, 2.0
"""Seconds between two looks at a search, here and where another replica has it."""
RUNS = "x-promsnmp-search-runs"
"""Header of the page: whether the search goes on, for the replica that follows it for somebody."""
LONGEST_STREAM = 300.0
"""Seconds of one stream; browsers open the next one by themselves."""


@router.get("/discovery")
@page_access(AccessLevel.READING)
async def discovery_page(request: Request, services: ServicesDep) -> Response:
    """The page of the leader, which knows the searches."""
    page_request = await page_request_of(request, services)
    target, is_part = target_of(request.scope), is_fragment(request.headers)
    try:
        part = await _from_leader(request, services, page_request, target, is_part=is_part)
    except NotLeader as error:
        raise ApiError(503, f"no leader available ({error}); retry later", headers=RETRY) from None
    except OutcomeUnknown as error:
        raise ApiError(504, str(error)) from None
    if part is not None:
        return page_request.answer(200, part[0])
    query = _query(request.query_params.multi_items())
    answer = await page_answer(request, services, "discovery", query=query, page_request=page_request)
    if PEER in request.scope and _runs(services, dict(query).get("job", "")):
        answer.headers[RUNS] = "1"
    return answer


@router.get("/discovery/check")
@page_access(AccessLevel.READING)
async def check(request: Request, services: ServicesDep) -> Response:
    """How many addresses a form has, and how long a search of them takes."""
    return await page_answer(request, services, "check")


@router.get("/discovery/events")
@page_access(AccessLevel.READING)
async def events(request: Request, services: ServicesDep, job: str = "") -> Response:
    """The live part of the page, whenever it changes, until the search ends."""
    stream = _events(request, services, await page_request_of(request, services), job[:80])
    return services.streams.respond(stream, {**PAGE_HEADERS, "x-accel-buffering": "no"})


@router.post("/discovery/search")
@page_access(AccessLevel.MANAGEMENT, leader_only=True, max_form=MAX_FORM)
async def search(request: Request, services: ServicesDep) -> Response:
    """Starts a search; saves it for the schedule, too, where the form says so."""
    form = form_of(request.scope)
    saves, starts = bool(first(form, "save")), first(form, "action") != "save"
    seeds = services.discovery.seeds
    try:
        document = search_document(
            form, services.catalogue_store.current.auth, seeds.get, services.devices.credentials.find
        )
        if "agentType" not in document:
            raise InventoryInvalid(["choose credentials, or enter a community or a user"])
        wanted = read_request(document, services.devices.snapshot.inventory)
        _, job = await accept_search(request, services.discovery, wanted, starts=starts, saves=saves or not starts)
    except InventoryInvalid as error:
        return await _refused(request, services, form, error.lines)
    except InventoryError as error:
        raise inventory_refusal(error, "search not started") from None
    except (ModuleError, DiscoveryBusy) as error:
        return await _refused(request, services, form, [str(error)])
    return _back(request, job.id if job is not None else "")


@router.post("/discovery/seeds/{seed_id}/search")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def search_seed(request: Request, seed_id: str, services: ServicesDep) -> Response:
    """Searches a saved seed now."""
    discovery = services.discovery
    seed = discovery.seeds.get(seed_id.lower())
    if seed is None:
        raise no_seed(seed_id)
    try:
        plan = discovery.plan(seed, who=caller(request), saved=True)
        job = await discovery.start_durably(plan, request_id=request_id(request))
    except InventoryError as error:
        raise inventory_refusal(error, "search not started") from None
    except DiscoveryBusy as error:
        raise ApiError(503, str(error), headers=RETRY) from None
    return _back(request, job.id)


@router.post("/discovery/seeds/{seed_id}/delete")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def delete_seed(request: Request, seed_id: str, services: ServicesDep) -> Response:
    """Deletes a saved seed; its devices stay."""
    await remove_seeds(request, services.discovery, seed_id.lower())
    return _back(request)


@router.post("/discovery/jobs/{job_id}/stop")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def stop(request: Request, job_id: str, services: ServicesDep) -> Response:
    """Stops a search; what it found stays."""
    job = await stop_search(services.discovery, job_id)
    return _back(request, "" if job is None else job.id)


def _back(request: Request, job_id: str = "") -> Response:
    """To the page."""
    page = f"{to_overview(request.url.path)}discovery"
    return RedirectResponse(f"{page}?job={job_id}" if job_id else page, 303, PAGE_HEADERS)


async def _refused(request: Request, services: Services, form: Form, problems: Sequence[str]) -> Response:
    query = _query([(name, value) for name, values in form.items() for value in values])
    query += (("problem", text) for text in problems)
    page_request = PageRequest(sender_of(request).viewer)
    answer = await page_answer(request, services, "discovery", "search", query=query, page_request=page_request)
    answer.status_code = 400
    return answer


def _query(given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the page shows of ``given``."""
    return [(name, value) for name, value in given if name in _SHOWN]


async def _from_leader(
    request: Request, services: Services, page_request: PageRequest, target: bytes, *, is_part: bool
) -> tuple[str, bool] | None:
    """The page, or its live part, as the leader makes it, and whether the search goes on; None where this replica
    knows the searches.

    Raises NotLeader and OutcomeUnknown; ApiError for another answer than the page.
    """
    leadership = services.cluster.leadership
    if PEER in request.scope or leadership.leads or leadership.backend == "none":
        return None
    headers = [(b"accept", b"text/html"), *([(b"hx-request", b"true")] if is_part else []), *page_request.peer_headers]
    asked = ForwardedRequest("GET", target, headers, b"", forwarded_user(request.scope))
    answer = await services.cluster.write_forwarder.forward(asked)
    if answer is not None and answer.status != 200:
        raise ApiError(answer.status, "the leader does not answer with the page; retry later")
    return None if answer is None else (answer.body.decode(errors="replace"), bool(answer.header(RUNS.encode())))


# ------------------------------------------------------------------------------------------------------------- events


async def _events(request: Request, services: Services, page_request: PageRequest, job_id: str) -> AsyncIterator[bytes]:
    end, shown = time.monotonic() + LONGEST_STREAM, ""
    is_id = job_id.isascii() and job_id.replace("-", "").isalnum()
    target = f"/discovery?job={job_id}" if is_id else "/discovery"
    yield event("", "begin")
    while time.monotonic() < end and services.health.ready:
        is_here, html, runs = False, shown, True
        try:
            part = await _from_leader(request, services, page_request, target.encode(), is_part=True)
            is_here = part is None
            html, runs = part or (await _own_part(services, page_request, job_id), _runs(services, job_id))
        except (NotLeader, OutcomeUnknown, ApiError):
            pass  # asked again after TICK_FROM_LEADER
        if html != shown:
            yield event(html)
            shown = html
        if not runs:
            yield event("", "end")
            return
        await asyncio.sleep(TICK if is_here else TICK_FROM_LEADER)


def _runs(services: Services, job_id: str) -> bool:
    """Whether the search goes on; without an id, any search."""
    jobs = services.discovery.jobs
    return any(job.state not in ENDED_STATES for job in jobs if not job_id or job.id == job_id)


async def _own_part(services: Services, page_request: PageRequest, job_id: str) -> str:
    people = people_of(services)
    _, html = await people.page("discovery", query=[("job", job_id)], is_fragment=True, viewer=page_request.viewer)
    return html
