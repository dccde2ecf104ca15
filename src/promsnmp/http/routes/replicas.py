"""``/promsnmp/leader``: shows the leader and all replicas, and makes the leader step down."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.common import Body, without_default
from promsnmp.http.schemas.openapi import failure
from promsnmp.http.services import Services, ServicesDep, caller
from promsnmp.observe.audit import audit

PATH = "/promsnmp/leader"

router = APIRouter(tags=["replicas"])


class ReplicaBody(Body):
    """One replica."""

    name: str
    address: str = Field(description="`host:port` at which the other replicas reach it.")


class LeaderBody(ReplicaBody):
    """The replica that leads."""

    term: int = Field(description="Number of its term; grows with each election.")


class LeadershipBody(Body):
    """The leader, as the replica that answers sees it."""

    role: str = Field(description="Role of the replica that answers: `leader` or `follower`.")
    name: str = Field(description="Name of the replica that answers.")
    leader: LeaderBody | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)
    backend: str = Field(description="Election backend: `redis`, `kubernetes` or `none`.")
    problem: str = Field(description="What is wrong with the election; empty when nothing is.")
    since_renewal: Annotated[float | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None, alias="sinceRenewal", description="Seconds since the leader last renewed its lease."
    )
    members: list[ReplicaBody] = Field(description="All replicas.")


@router.get(PATH, response_model_exclude_none=True)
@access(AccessLevel.DETAILS)
async def leader(services: ServicesDep) -> LeadershipBody:
    """The leader and all replicas, as the replica that answers sees them."""
    return _leadership_body(services)


@router.delete(
    PATH,
    response_model_exclude_none=True,
    responses={
        409: failure("There is one replica and no election."),
        503: failure("No leader is available."),
    },
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def step_down(request: Request, services: ServicesDep) -> LeadershipBody:
    """Force a re-election: the leader steps down, and another replica is elected. Any replica takes the request."""
    leadership = services.cluster.leadership
    if leadership.backend == "none":
        raise ApiError(409, "no election: this is the only replica (ELECTION_BACKEND=none)")
    audit("leader stepped down", who=caller(request), leader=services.cluster.members.me.name)
    await leadership.step_down("requested over HTTP")
    return _leadership_body(services)


def _leadership_body(services: Services) -> LeadershipBody:
    cluster = services.cluster
    leadership, leader_now = cluster.leadership, cluster.leader()
    since = leadership.since_renewal
    return LeadershipBody(
        role=cluster.role,
        name=cluster.members.me.name,
        leader=None
        if leader_now is None
        else LeaderBody(name=leader_now.name, address=leader_now.address, term=leader_now.fencing_token),
        backend=leadership.backend,
        problem=leadership.problem,
        since_renewal=round(since, 3) if since < 1e9 else None,
        members=[ReplicaBody(name=one.name, address=one.address) for one in cluster.members.present],
    )
