"""Health components of the election and the members: a failing coordinator shows, but restarts nothing."""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.cluster.election.runner import Leader, Leadership
from promsnmp.cluster.members.members import Members
from promsnmp.observe.health import Component, Status


def election_component(
    leadership: Leadership,
    *,
    name: str,
    role: str,
    leader: Leader | None,
    last: Leader | None,
    unfit: str,
) -> Component:
    """This replica's name and role, the leader (without one, the ``last`` one), the backend, and why this replica is
    ``unfit`` to lead, if it is.

    UNKNOWN while the backend fails or there is no leader: changes wait, but polls and scrapes do not, and neither does
    the start of a pod, which asks for the overall health.
    """
    details: dict[str, object] = {"backend": leadership.backend, "role": role, "name": name}
    if last is not None:
        details |= {"leader": last.name, "term": last.fencing_token}
    if leadership.backend != "none":
        details["backendState"] = "fails" if leadership.backend_problem else "answers"
    if unfit:
        details["unfitToLead"] = unfit
    problem = leadership.problem or _problem(leader)
    return Component(Status.UNKNOWN, {**details, "error": problem}) if problem else Component(Status.UP, details)


def _problem(leader: Leader | None) -> str:
    if leader is None:
        return "no leader: an election is in progress"
    return "" if leader.address else f"{leader.name} holds the lease, but is not a replica of this cluster"


def members_component(members: Members, problems: Mapping[str, str]) -> Component:
    """The members: UNKNOWN with ``problems`` (a coordinator fails, another replica is not trusted or cannot be
    reached), DOWN when another replica has this one's name."""
    details: dict[str, object] = {"members": [one.name for one in members.present]}
    if (other := members.namesake) is not None:
        named = f"the replica at {other.address} has this one's name; give each its own POD_NAME"
        return Component(Status.DOWN, {**details, "problems": {**problems, "name": named}})
    return Component(Status.UNKNOWN, {**details, "problems": problems}) if problems else Component(Status.UP, details)
