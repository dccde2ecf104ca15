"""The page of discovery: its form, the progress of searches as events, and what a person can start and stop.

The rules are those of the API (``http/routes/discovery.py``); this file turns forms into its requests, and its answers
into pages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from promsnmp.cluster.peers.forward_write import ForwardedRequest
from promsnmp.discovery.jobs import ENDED_STATES
from promsnmp.discovery.request import read_request
from promsnmp.errors import DiscoveryBusy, InventoryError, InventoryInvalid, ModuleError, NotLeader, OutcomeUnknown
from promsnmp.http.middleware.forwarding import forwarded_user
from promsnmp.http.responses.errors import RETRY, ApiError, inventory_refusal
from promsnmp.http.responses.events import event
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.routes.discovery import accept_search
from promsnmp.http.routes.pages.forms import Form, first, read_form
from promsnmp.http.routes.pages.interface import HEADERS, page_answer, people_of
from promsnmp.http.routes.pages.search_form import search_document
from promsnmp.http.security.auth import Refusal
from promsnmp.http.services import Services, ServicesDep, caller, request_id

router = APIRouter(include_in_schema=False)

MAX_FORM = 1024 * 1024
"""Bytes of a form: some ten thousand addresses, one by one."""
_SHOWN = ("job", "targets", "exclude", "neighbours", "port", "force", "save", "auth", "version")
"""Parameters, and fields of a refused form, that the page shows: no secrets."""
TICK, TICK_FROM_LEADER = 1.0, 2.0
"""Seconds between two looks at a search, here and where another replica has it."""
LONGEST_STREAM = 300.0
"""Seconds of one stream; browsers open the next one by themselves."""


@router.get("/discovery")
@access(AccessLevel.READING, leader_only=True)
async def discovery_page(request: Request, services: ServicesDep) -> Response:
    query = await _query(request, services, request.query_params.multi_items())
    return await page_answer(request, services, "discovery", query=query)


@router.get("/discovery/check")
@access(AccessLevel.READING)
async def check(request: Request, services: ServicesDep) -> Response:
    """How many addresses a form has, and how long a search of them takes."""
    return await page_answer(request, services, "check")


@router.get("/discovery/events")
@access(AccessLevel.READING)
async def events(request: Request, services: ServicesDep, job: str = "") -> Response:
    """The live part of the page, whenever it changes, until the search ends."""
    people_of(services)
    stream = _events(request, services, job[:80])
    return services.streams.respond(stream, {**HEADERS, "x-accel-buffering": "no"})


@router.post("/discovery/search")
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def search(request: Request, services: ServicesDep) -> Response:
    """Starts a search; saves it for the schedule, too, where the form says so."""
    people_of(services)
    form = await read_form(request, max_bytes=MAX_FORM)
    saves, starts = bool(first(form, "save")), first(form, "action") != "save"
    seeds = services.discovery.seeds
    try:
        document = search_document(form, services.catalogue_store.current.auth, seeds.get)
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
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def search_seed(request: Request, seed_id: str, services: ServicesDep) -> Response:
    """Searches a saved seed now."""
    await read_form(request, max_bytes=MAX_FORM)
    discovery = services.discovery
    seed = discovery.seeds.get(seed_id.lower())
    if seed is None:
        raise ApiError(404, f"unknown seed {seed_id[:80]!r}")
    try:
        plan = discovery.plan(seed, who=caller(request), saved=True)
        job = await discovery.start_durably(plan, request_id=request_id(request))
    except InventoryError as error:
        raise inventory_refusal(error, "search not started") from None
    except DiscoveryBusy as error:
        raise ApiError(503, str(error), headers=RETRY) from None
    return _back(request, job.id)


@router.post("/discovery/seeds/{seed_id}/delete")
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def delete_seed(request: Request, seed_id: str, services: ServicesDep) -> Response:
    """Deletes a saved seed; its devices stay."""
    await read_form(request, max_bytes=MAX_FORM)
    try:
        await services.discovery.seeds.delete(seed_id.lower(), who=caller(request), request_id=request_id(request))
    except InventoryError as error:
        raise inventory_refusal(error, "nothing deleted") from None
    return _back(request)


@router.post("/discovery/jobs/{job_id}/stop")
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def stop(request: Request, job_id: str, services: ServicesDep) -> Response:
    """Stops a search; what it found stays."""
    await read_form(request, max_bytes=MAX_FORM)
    job = services.discovery.job(job_id.lower())
    if job is not None and job.state not in ENDED_STATES:
        services.discovery.stop_job(job)
        await job.ended_event.wait()
    return _back(request, job_id.lower() if job is not None else "")


def _back(request: Request, job_id: str = "") -> Response:
    """To the page, by a relative reference: a proxy may have put the service below a path."""
    up = "../" * (request.url.path.count("/") - 1)
    return RedirectResponse(f"{up}discovery{f'?job={job_id}' if job_id else ''}", 303, HEADERS)


async def _refused(request: Request, services: Services, form: Form, problems: Sequence[str]) -> Response:
    fields = [(name, value) for name, values in form.items() for value in values]
    query = [*await _query(request, services, fields), *(("problem", text) for text in problems)]
    answer = await page_answer(request, services, "discovery", "search", query=query)
    answer.status_code = 400
    return answer


async def _query(request: Request, services: Services, given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the page shows of ``given``, and whether the caller may start searches."""
    decision = await services.access.authorize(request.scope, AccessLevel.MANAGEMENT)
    may_change = [] if isinstance(decision, Refusal) else [("may_change", "yes")]
    return [*((name, value) for name, value in given if name in _SHOWN), *may_change]


# ------------------------------------------------------------------------------------------------------------- events


async def _events(request: Request, services: Services, job_id: str) -> AsyncIterator[bytes]:
    query = await _query(request, services, [("job", job_id)])
    end, shown = time.monotonic() + LONGEST_STREAM, ""
    yield event("", "begin")
    while time.monotonic() < end and services.health.ready:
        is_here = services.cluster.leadership.leads or services.cluster.leadership.backend == "none"
        try:
            html = await (_own_part(services, query) if is_here else _part_of_leader(request, services, job_id))
        except (NotLeader, OutcomeUnknown):
            html = shown
        if html != shown:
            yield event(html)
            shown = html
        if is_here and not _runs(services, job_id):
            yield event("", "end")
            return
        await asyncio.sleep(TICK if is_here else TICK_FROM_LEADER)


def _runs(services: Services, job_id: str) -> bool:
    """Whether the search goes on; without an id, any search."""
    jobs = services.discovery.jobs
    return any(job.state not in ENDED_STATES for job in jobs if not job_id or job.id == job_id)


async def _own_part(services: Services, query: Sequence[tuple[str, str]]) -> str:
    _, html = await people_of(services).page("discovery", item="", query=query, is_fragment=True)
    return html


async def _part_of_leader(request: Request, services: Services, job_id: str) -> str:
    target = f"/discovery?job={job_id}" if job_id.replace("-", "").isalnum() else "/discovery"
    headers = [(b"accept", b"text/html"), (b"hx-request", b"true")]
    asked = ForwardedRequest("GET", target.encode(), headers, b"", forwarded_user(request.scope))
    answer = await services.cluster.write_forwarder.forward(asked)
    return answer.body.decode(errors="replace") if answer is not None and answer.status == 200 else ""
