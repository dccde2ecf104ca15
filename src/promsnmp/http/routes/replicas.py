"""``/promsnmp/leader``: which replicas there are, who leads them, and the order to step down."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from promsnmp.http.responses.errors import Problem
from promsnmp.http.schemas.common import Body, absent
from promsnmp.http.schemas.openapi import failure
from promsnmp.http.services import Services, Use, caller
from promsnmp.observe.audit import audit

PATH = "/promsnmp/leader"

router = APIRouter(tags=["replicas"])


class ReplicaBody(Body):
    """One replica."""

    name: str
    address: str = Field(description="`host:port` at which the other replicas reach it.")


class LeaderBody(ReplicaBody):
    """The replica that leads."""

    term: int = Field(description="Number of its term; it grows with each election.")


class LeadershipBody(Body):
    """Who leads, as the replica that was asked sees it."""

    role: str = Field(description="Of the replica that was asked: `leader` or `follower`.")
    name: str = Field(description="Of the replica that was asked.")
    leader: LeaderBody | SkipJsonSchema[None] = Field(None, json_schema_extra=absent)
    backend: str = Field(description="Where leaders are elected: `redis`, `kubernetes` or `none`.")
    problem: str = Field(description="Why the backend cannot be asked now; empty when it can.")
    since_renewal: Annotated[float | SkipJsonSchema[None], Field(json_schema_extra=absent)] = Field(
        None, alias="sinceRenewal", description="Seconds since the leader was last heard of."
    )
    members: list[ReplicaBody] = Field(description="The replicas that there are.")


@router.get(PATH, response_model_exclude_none=True)
async def leader(services: Use) -> LeadershipBody:
    """Who leads, and which replicas there are, as the replica that answers sees it."""
    return _shown(services)


@router.delete(
    PATH,
    response_model_exclude_none=True,
    responses={
        409: failure("There is one replica, and no election."),
        503: failure("There is no leader now."),
    },
)
async def step_down(request: Request, services: Use) -> LeadershipBody:
    """Have the leader give the lead up, so that another replica is elected; any replica may be asked."""
    leadership = services.cluster.leadership
    if leadership.backend == "none":
        raise Problem(409, "there is no election here: this is the only replica (ELECTION_BACKEND=none)")
    audit("leader stepped down", who=caller(request), leader=services.cluster.members.me.name)
    await leadership.step_down("it was asked to step down")
    return _shown(services)


def _shown(services: Services) -> LeadershipBody:
    cluster = services.cluster
    leadership, known = cluster.leadership, cluster.leader()
    since = leadership.since_renewal
    return LeadershipBody(
        role=cluster.role,
        name=cluster.members.me.name,
        leader=None if known is None else LeaderBody(name=known.name, address=known.address, term=known.term),
        backend=leadership.backend,
        problem=leadership.problem,
        since_renewal=round(since, 3) if since < 1e9 else None,
        members=[ReplicaBody(name=one.name, address=one.address) for one in cluster.members.present],
    )
