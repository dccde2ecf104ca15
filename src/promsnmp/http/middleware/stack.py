"""The order in which a request meets the middleware, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp

from promsnmp.http.middleware.access import AccessMiddleware
from promsnmp.http.middleware.leader_proxy import LeaderProxy
from promsnmp.http.middleware.owner_proxy import OwnerProxy
from promsnmp.http.middleware.page_errors import PageErrorsMiddleware
from promsnmp.http.middleware.page_forms import PageFormsMiddleware
from promsnmp.http.middleware.peer_auth import PeerAuthMiddleware
from promsnmp.http.middleware.rate_limit import RateLimitMiddleware
from promsnmp.http.middleware.request_metrics import RequestMetricsMiddleware
from promsnmp.http.middleware.response_headers import ResponseHeadersMiddleware
from promsnmp.http.responses.sending import HeaderList
from promsnmp.http.route_policy import PlainRoute, RouteTable
from promsnmp.http.server.fast_path import FastAnswer


class Middleware(Protocol):
    """Something between the server and the handlers."""

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """An application that does its work before or after ``app``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MiddlewareStack:
    """All middleware of the application."""

    request_metrics: RequestMetricsMiddleware
    response_headers: ResponseHeadersMiddleware
    peer_auth: PeerAuthMiddleware
    rate_limit: RateLimitMiddleware
    access: AccessMiddleware
    page_errors: PageErrorsMiddleware
    page_forms: PageFormsMiddleware
    leader_proxy: LeaderProxy
    owner_proxy: OwnerProxy

    def in_order(self, routes: RouteTable) -> Sequence[Middleware]:
        """Outermost first."""
        return [
            self.request_metrics,  # first: what is refused counts, too
            routes,  # finds what the route declares, for all that follow
            self.response_headers,  # before everything that may refuse
            self.page_errors,  # the same, for people
            self.peer_auth,  # before access: its signature is a replica's credentials
            self.rate_limit,  # before access: passwords cost time
            self.access,
            self.page_forms,  # before the leader gets a form: the leader knows no cookies
            self.leader_proxy,  # behind access: the leader trusts the name that comes with a forwarded request
            self.owner_proxy,
        ]

    def around(self, app: ASGIApp, routes: RouteTable) -> ASGIApp:
        """``app`` behind all of them."""
        for middleware in reversed(self.in_order(routes)):
            app = middleware.wrap(app)
        return app

    def fast_answer(self, route: PlainRoute) -> FastAnswer:
        """Scrapes of ``route`` that are answered from memory, past the list above: only where nothing in it would
        refuse them, and with the headers that it would add."""

        def answer(query_string: bytes, headers: HeaderList) -> tuple[HeaderList, bytes] | None:
            if self.rate_limit.is_active or self.access.access.is_restricted(route.policy.access):
                return None
            found = self.owner_proxy.fast_answer(query_string, headers)
            return None if found is None else (self.response_headers.complete(found[0]), found[1])

        return answer
