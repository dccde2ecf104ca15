"""Sends every error of the JSON API in one shape: ``{"error": ..., "status": ..., "path": ...}``.

This includes unknown paths, wrong methods and bad parameters, so that a client needs one way to read errors. A change
that was answered with 4xx, 500 or 503 has not been made; 504 says that it may have been.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope, Send

from promsnmp.errors import (
    DeviceChanged,
    InventoryConflict,
    InventoryError,
    InventoryInvalid,
    InventoryUnavailable,
    OutcomeUnknown,
    UnknownDevice,
)
from promsnmp.http.responses.sending import JSON, body_headers, send_response, send_text
from promsnmp.http.route_policy import policy_of
from promsnmp.http.schemas.common import ErrorBody

log = logging.getLogger(__name__)

RETRY = {"Retry-After": "5"}
"""Seconds after which a client may retry (RFC 9110 section 10.2.3)."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
READING = ("GET", "HEAD", "OPTIONS")


class ApiError(HTTPException):
    """An error response; ``problems`` lists several problems at once."""

    def __init__(
        self, status: int, error: str, *, problems: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, error, headers)
        self.problems = list(problems)


def inventory_refusal(error: InventoryError, outcome: str = "") -> ApiError:
    """The response to a request that the inventory refuses; ``outcome`` says what became of the request."""
    reason = str(error)
    if isinstance(error, InventoryInvalid) and len(error.lines) > 1:
        reason = f"{len(error.problems) + error.more} problems{', at least' if error.unchecked else ''}"
    text = f"{outcome}: {reason}" if outcome else reason
    match error:
        case InventoryConflict():
            return ApiError(HTTPStatus.CONFLICT, text, problems=error.lines)
        case InventoryInvalid():
            return ApiError(HTTPStatus.BAD_REQUEST, text, problems=error.lines)
        case UnknownDevice():
            return ApiError(HTTPStatus.CONFLICT if error.candidates else HTTPStatus.NOT_FOUND, str(error))
        case DeviceChanged():
            return ApiError(HTTPStatus.PRECONDITION_FAILED, text)
        case InventoryUnavailable():
            return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, text, headers=RETRY)
        case _:
            return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, text)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of ``app`` as JSON."""
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_bad_request)
    app.add_exception_handler(OutcomeUnknown, _on_outcome_unknown)
    app.add_exception_handler(Exception, _on_bug)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    text = error.detail
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request))
        text = method_not_allowed(headers["Allow"])
    elif error.status_code == HTTPStatus.NOT_FOUND and text == HTTPStatus.NOT_FOUND.phrase:
        text = "unknown path; /v3/api-docs lists all"
    return _answer(request, error.status_code, text, getattr(error, "problems", None) or None, headers)


async def _on_bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
    return _answer(request, HTTPStatus.BAD_REQUEST, "; ".join(problems), problems)


async def _on_outcome_unknown(request: Request, error: Exception) -> Response:
    return _answer(request, HTTPStatus.GATEWAY_TIMEOUT, f"outcome unknown: {error}")


async def _on_bug(request: Request, _: Exception) -> Response:
    # the server logs the traceback: the exception is raised again after this answer
    if request.method not in READING and policy_of(request.scope).leader_only:
        text = (
            "outcome unknown: internal error, maybe after the change was made; look it up, and see the log of PromSNMP"
        )
        return _answer(request, HTTPStatus.GATEWAY_TIMEOUT, text)
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal error; see the log of PromSNMP")


def _answer(
    request: Request, status: int, text: str, problems: list[str] | None = None, headers: dict[str, str] | None = None
) -> Response:
    content = error_json(int(status), text, request.url.path, problems)
    return Response(content, int(status), headers, media_type="application/json")


def error_json(status: int, text: str, path: str, problems: Sequence[str] | None = None) -> bytes:
    """The JSON of an error."""
    return (
        ErrorBody(error=text, status=status, path=path, problems=problems).model_dump_json(exclude_none=True).encode()
    )


async def send_error(
    send: Send, scope: Scope, status: int, text: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Sends an error over plain ASGI: as JSON, or as text where the route of the request declares that."""
    if policy_of(scope).plain_errors:
        await send_text(send, status, text, headers)
        return
    body = error_json(status, text, scope["path"])
    await send_response(send, status, body_headers(body, JSON, headers), body)


def method_not_allowed(allowed: str) -> str:
    """The text of a 405; ``allowed`` is the value of its Allow header."""
    methods = allowed.split(", ")
    return f"method not allowed; use {' or '.join(filter(None, (', '.join(methods[:-1]), methods[-1])))}"


def _allowed(request: Request) -> Iterable[str]:
    """Methods that some route has for the request's path (RFC 9110 section 10.2.1)."""
    routes = request.app.routes
    for method in METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in routes):
            yield method
            if method == "GET":
                yield "HEAD"
