"""``/promsnmp/discovery``: searches for devices, and the seeds that they start from.

Paths and bodies are those of the original. New here: a search is a job that can be followed and stopped, and secrets
are never shown.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from promsnmp.discovery.jobs import ENDED_STATES, Job, SearchPlan
from promsnmp.discovery.request import SearchRequest, read_request
from promsnmp.discovery.service import Discovery
from promsnmp.errors import DiscoveryBusy, InventoryError, InventoryInvalid
from promsnmp.http.responses.bodies import read_json
from promsnmp.http.responses.errors import RETRY, ApiError, inventory_refusal
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.discovery import AcceptedBody, DiscoveryBody, JobBody, JobDetailBody
from promsnmp.http.schemas.inventory import SeedBody
from promsnmp.http.schemas.openapi import OUTCOME_UNKNOWN, failure
from promsnmp.http.services import ServicesDep, caller, request_id
from promsnmp.inventory.document.seeds import seed_document
from promsnmp.inventory.model import Seed

PATH = "/promsnmp/discovery"
JOBS = f"{PATH}/jobs"
MAX_BODY = 8 * 1024 * 1024
"""Bytes of a request: some hundred thousand addresses, one by one."""


_BODY = DiscoveryBody.model_json_schema(ref_template="#/components/schemas/{model}")
_CONFIG = _BODY.pop("$defs")["SnmpConfigBody"]
_BODY["properties"]["snmpConfig"] = _CONFIG | {"description": "Another form of version, port and the credentials."}
_REQUEST = {"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}}
_LOCATION = {"Location": {"description": "Path of the job or the seed.", "schema": {"type": "string"}}}
_NOT_WRITABLE: dict[int | str, dict[str, Any]] = {
    503: failure("The inventory file cannot be written now; nothing changed."),
    **OUTCOME_UNKNOWN,
}
_NO_SEED: dict[int | str, dict[str, Any]] = {404: failure("Unknown seed.")}
_NO_JOB: dict[int | str, dict[str, Any]] = {404: failure("Unknown job; jobs that ended long ago are forgotten.")}

_ACCEPTED = "Discovery request accepted."
_ONLY_SAVED = "Seed saved. It cannot be searched now, so it is searched with the schedule."

router = APIRouter(tags=["discovery"])


@router.post(
    PATH,
    status_code=202,
    response_model=AcceptedBody,
    responses={
        202: {"headers": _LOCATION},
        400: failure("The request has problems, which are listed (100 at most); nothing has happened."),
        413: failure("The request is too large."),
        503: failure("Too many searches are waiting, or the inventory file cannot be written now; nothing changed."),
        **OUTCOME_UNKNOWN,
    },
    openapi_extra=_REQUEST,
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def discover(
    request: Request,
    services: ServicesDep,
    scheduleNow: Annotated[bool, Query(description="Search now.")] = True,  # noqa: N803  # the original's name
    saveSeed: Annotated[  # noqa: N803  # as above
        bool, Query(description="Save it as a seed, which the schedule searches. Implied by `scheduleNow=false`.")
    ] = False,
) -> Response:
    """Search for devices, or save a seed for the schedule, or both."""
    saves = saveSeed or not scheduleNow
    try:
        search_request = read_request(await read_json(request, max_bytes=MAX_BODY), services.devices.snapshot.inventory)
        seed, job = await accept_search(request, services.discovery, search_request, starts=scheduleNow, saves=saves)
    except InventoryError as error:
        raise inventory_refusal(error, "request not accepted") from None
    except DiscoveryBusy as error:
        raise ApiError(503, str(error), headers=RETRY) from None
    location = f"{JOBS}/{job.id}" if job else f"{PATH}/{seed.id}"
    body = AcceptedBody(
        message=_ACCEPTED if job or not scheduleNow else _ONLY_SAVED,
        job_id=job.id if job else None,
        seed_id=seed.id if saves else None,
        location=location,
    )
    return JSONResponse(body.model_dump(by_alias=True, exclude_none=True), 202, {"Location": location})


async def accept_search(
    request: Request, discovery: Discovery, search: SearchRequest, *, starts: bool, saves: bool
) -> tuple[Seed, Job | None]:
    """Starts a search, saves its seed, or both. Raises InventoryError or DiscoveryBusy, and then nothing has happened.

    A full queue, or disk, is no reason to refuse the request once its seed is saved: then there is no job.
    """
    who = caller(request)
    seed = discovery.seeds.deduplicate(search.seed) if saves else search.seed
    if problems := discovery.seeds.problems_of(seed):
        raise InventoryInvalid(problems)
    plan = discovery.plan(seed, who=who, remove_lost=search.remove_lost, saved=saves)
    if starts:
        discovery.check_queue()
    if saves:
        await discovery.seeds.save(seed, who=who, request_id=request_id(request))
    if not starts:
        return seed, None
    written = "" if saves else request_id(request)  # with a seed, the request's one write is the seed's
    return seed, await start_search(discovery, plan, is_saved=saves, request_id=written)


async def start_search(discovery: Discovery, plan: SearchPlan, *, is_saved: bool, request_id: str) -> Job | None:
    """Starts a search. Raises InventoryError or DiscoveryBusy; for a saved seed there is no job instead."""
    try:
        return await discovery.start_durably(plan, request_id=request_id)
    except (DiscoveryBusy, InventoryError):
        if not is_saved:
            raise
        return None


@router.get(PATH, response_model=list[SeedBody])
@access(AccessLevel.DETAILS, leader_only=True)
async def list_seeds(services: ServicesDep) -> Response:
    """All saved seeds, secrets masked."""
    return JSONResponse([seed_document(seed, mask=True) for seed in services.discovery.seeds.seeds])


@router.delete(PATH, response_class=PlainTextResponse, responses=_NOT_WRITABLE)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def delete_seeds(request: Request, services: ServicesDep) -> str:
    """Delete all saved seeds. Devices stay."""
    await remove_seeds(request, services.discovery)
    return "All discovery seeds deleted."


@router.get(JOBS, response_model=list[JobBody])
@access(AccessLevel.DETAILS, leader_only=True)
async def list_jobs(services: ServicesDep) -> Response:
    """Searches that are running, waiting or have ended, newest first."""
    return JSONResponse(services.discovery.documents(time.time()))


@router.get(JOBS + "/{job_id}", response_model=JobDetailBody, responses=_NO_JOB)
@access(AccessLevel.DETAILS, leader_only=True)
async def show_job(job_id: str, services: ServicesDep) -> Response:
    """One search, with the devices that it found."""
    return JSONResponse(_job_document(services.discovery, job_id))


@router.delete(JOBS + "/{job_id}", response_model=JobDetailBody, responses=_NO_JOB)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def stop_job(job_id: str, services: ServicesDep) -> Response:
    """Stop a search; the devices that it found stay in the inventory. A search that has ended stays as it is."""
    await stop_search(services.discovery, job_id)
    return JSONResponse(_job_document(services.discovery, job_id))


async def stop_search(discovery: Discovery, job_id: str) -> Job | None:
    """Stops a search that has not ended, and waits until it has; None when there is no such search."""
    job = discovery.job(job_id.lower())
    if job is not None and job.state not in ENDED_STATES:
        discovery.stop_job(job)
        await job.ended_event.wait()
    return job


@router.get(PATH + "/{seed_id}", response_model=SeedBody, responses=_NO_SEED)
@access(AccessLevel.DETAILS, leader_only=True)
async def show_seed(seed_id: str, services: ServicesDep) -> Response:
    """One saved seed, secrets masked."""
    if (seed := services.discovery.seeds.get(seed_id.lower())) is None:
        raise no_seed(seed_id)
    return JSONResponse(seed_document(seed, mask=True))


@router.delete(PATH + "/{seed_id}", response_class=PlainTextResponse, responses={**_NO_SEED, **_NOT_WRITABLE})
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def delete_seed(request: Request, seed_id: str, services: ServicesDep) -> str:
    """Delete one saved seed. Devices stay."""
    if not await remove_seeds(request, services.discovery, seed_id.lower()):
        raise no_seed(seed_id)
    return f"Seed deleted: {seed_id.lower()}"


async def remove_seeds(request: Request, discovery: Discovery, seed_id: str | None = None) -> int:
    """Removes one seed, or all, and returns how many there were. Raises ApiError."""
    try:
        return await discovery.seeds.delete(seed_id, who=caller(request), request_id=request_id(request))
    except InventoryError as error:
        raise inventory_refusal(error, "nothing deleted") from None


def no_seed(seed_id: str) -> ApiError:
    """For a seed that does not exist."""
    return ApiError(404, f"unknown seed {seed_id[:80]!r}")


def _job_document(discovery: Discovery, job_id: str) -> dict[str, Any]:
    document = discovery.document(job_id.lower(), time.time())
    if document is None:
        raise ApiError(404, f"unknown job {job_id[:80]!r}; jobs that ended long ago are forgotten")
    return document
