"""What each route declares about itself, and the table that finds a request's route before any body is read.

A handler declares its access beside its path (``@access(...)``). Middleware must refuse a request before its body is
read, and FastAPI's dependencies run after that: so ``RouteTable`` resolves the route first, by the router's own
matching, and puts what the route declares into the ASGI scope. Every middleware reads it there. A route that declares
nothing is management, so a forgotten declaration locks callers out instead of letting them in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110 section 9.2.1)."""
POLICY = "promsnmp.policy"
"""Key of an ASGI scope: the ``RoutePolicy`` of the request."""
_DECLARED = "promsnmp_policy"
"""Attribute of a handler: the ``RoutePolicy`` that it declares."""

MAX_FORM = 64 * 1024
"""Bytes of most forms, at most."""

Handler = TypeVar("Handler", bound=Callable[..., Any])


class AccessLevel(Enum):
    """Who may send a request."""

    HEALTH = "health"
    """Everybody, always: kubelets and load balancers have no credentials."""
    OPEN = "open"
    """Everybody, unless API_PROTECT_SCRAPES is set."""
    DETAILS = "details"
    """Shows configuration: callers with credentials, where there are any."""
    READING = "reading"
    """A page for people that shows configuration: as details, or everybody with WEB_READ_ANONYMOUS."""
    MANAGEMENT = "management"
    """Changes something: callers with credentials, or without any programs on this machine."""
    LOGIN = "login"
    """Everybody, since it is where callers log in; changes, from pages of this service only."""
    PEER = "peer"
    """Other replicas: the handler checks the signature of the request."""


_CHANGING = (AccessLevel.MANAGEMENT, AccessLevel.LOGIN, AccessLevel.PEER)
"""Levels that a request needs which changes something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePolicy:
    """What a route declares."""

    access: AccessLevel = AccessLevel.MANAGEMENT
    leader_only: bool = False
    """Only the leader answers; another replica forwards the request to it."""
    owner_first: bool = False
    """When the query names a target, the replica that polls that target answers, if it can."""
    plain_errors: bool = False
    """Refusals are plain text instead of JSON: Prometheus shows them on its targets page."""
    is_page: bool = False
    """A page for people: sessions are credentials, its forms need a token, refusals are pages."""
    max_form: int = MAX_FORM
    """Bytes of a form that is sent to a page, at most."""


UNDECLARED = RoutePolicy()
NO_ROUTE = RoutePolicy(access=AccessLevel.OPEN)
"""For a path without a route: the answer is a 404 or a 405, which shows nothing."""


def access(
    level: AccessLevel, *, leader_only: bool = False, owner_first: bool = False, plain_errors: bool = False
) -> Callable[[Handler], Handler]:
    """Declares the access of a handler; goes between the router's decorator and the function."""
    return _declare(
        RoutePolicy(access=level, leader_only=leader_only, owner_first=owner_first, plain_errors=plain_errors)
    )


def page_access(
    level: AccessLevel, *, leader_only: bool = False, max_form: int = MAX_FORM
) -> Callable[[Handler], Handler]:
    """As ``access``, for a page for people."""
    return _declare(RoutePolicy(access=level, leader_only=leader_only, is_page=True, max_form=max_form))


def _declare(policy: RoutePolicy) -> Callable[[Handler], Handler]:

    def declare(handler: Handler) -> Handler:
        setattr(handler, _DECLARED, policy)
        return handler

    return declare


def declared_policy(handler: object) -> RoutePolicy | None:
    """What a handler declares; None when it declares nothing."""
    policy = getattr(handler, _DECLARED, None)
    return policy if isinstance(policy, RoutePolicy) else None


def policy_of(scope: Scope) -> RoutePolicy:
    """The policy of a request; management when no ``RouteTable`` has seen it."""
    policy = scope.get(POLICY)
    return policy if isinstance(policy, RoutePolicy) else UNDECLARED


@dataclass(frozen=True, slots=True, eq=False)
class PlainRoute:
    """A plain ASGI application that answers one exact path, without FastAPI."""

    path: str
    app: ASGIApp
    policy: RoutePolicy
    methods: frozenset[str] = frozenset({"GET"})


class RouteTable:
    """All routes of the application: ``plain`` ones, and those of FastAPI (``routes``, in the order in which FastAPI
    tries them). Raises ValueError when a route that changes something declares less than management."""

    def __init__(self, routes: Iterable[BaseRoute], plain: Sequence[PlainRoute] = ()) -> None:
        self.plain: Mapping[str, PlainRoute] = {route.path: route for route in plain}
        self._routes = [
            (route.path.partition("{")[0], route, declared_policy(route.endpoint) or UNDECLARED)
            for route in routes
            if isinstance(route, Route)
        ]
        """With the fixed beginning of each path: comparing that first saves most of the matching."""
        for method, path, policy in self.declared():
            if method not in SAFE_METHODS and policy.access not in _CHANGING:
                raise ValueError(
                    f"{method} {path} declares {policy.access.value}; a request that changes something is management"
                )

    def declared(self) -> Iterator[tuple[str, str, RoutePolicy]]:
        """Method, path (as OpenAPI writes it) and policy of every route."""
        for route in self.plain.values():
            yield from ((method, route.path, route.policy) for method in sorted(route.methods))
        for _, fastapi_route, policy in self._routes:
            methods = sorted((fastapi_route.methods or set()) - {"HEAD"})
            yield from ((method, fastapi_route.path_format, policy) for method in methods)

    def resolve(self, scope: Scope) -> RoutePolicy:
        """The policy of a request, HEAD being the same as GET.

        A method that the path does not have is answered with 405: it needs what GET needs there, and management when
        it is not safe.
        """
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if (policy := self._find(scope, method)) is not None:
            return policy
        policy = self._find(scope, "GET") or NO_ROUTE
        return policy if method in SAFE_METHODS else replace(policy, access=AccessLevel.MANAGEMENT, is_page=False)

    def _find(self, scope: Scope, method: str) -> RoutePolicy | None:
        plain = self.plain.get(scope["path"])
        if plain is not None:
            return plain.policy if method in plain.methods or plain.policy.access is AccessLevel.PEER else None
        path = scope["path"]
        asked = scope if scope["method"] == method else {**scope, "method": method}
        for beginning, route, policy in self._routes:
            if path.startswith(beginning) and route.matches(asked)[0] is Match.FULL:
                return policy
        return None

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, which finds the policy of a request in its scope."""

        async def resolved(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                scope[POLICY] = self.resolve(scope)
                plain = self.plain.get(scope["path"])
                if plain is not None:
                    scope["route"] = plain
            await app(scope, receive, send)

        return resolved

    def dispatch(self, fallback: ASGIApp) -> ASGIApp:
        """The innermost application: plain routes by their exact path, FastAPI (``fallback``) for everything else."""

        async def dispatched(scope: Scope, receive: Receive, send: Send) -> None:
            plain = self.plain.get(scope["path"]) if scope["type"] == "http" else None
            await (plain.app if plain is not None else fallback)(scope, receive, send)

        return dispatched
