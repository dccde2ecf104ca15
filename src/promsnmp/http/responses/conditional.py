"""Checks ``If-Match`` and ``If-None-Match`` of requests that change something (RFC 9110 section 13.1).

With them, two operators do not overwrite each other unnoticed: a change with the ETag of the version that was read is
made to that version only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from promsnmp.errors import DeviceChanged

T = TypeVar("T")

_TAG = re.compile(r'(?:W/)?"[^"]*"')


def precondition_check(request: Request, etag: Callable[[T], str], what: str = "device") -> Callable[[T | None], None]:
    """A check of the current state (None: it does not exist) that raises DeviceChanged when the headers forbid it;
    ``what`` it is, for the message."""
    match, none_match = _header(request, "if-match"), _header(request, "if-none-match")

    def check(present: T | None) -> None:
        now = "" if present is None else etag(present)
        if match is not None and not (present is not None and (match == "*" or now in _TAG.findall(match))):
            state = "has changed since you read it; read it again" if present is not None else "does not exist"
            raise DeviceChanged(f"If-Match: the {what} {state}")
        if none_match is not None and present is not None and (none_match == "*" or now in _weak(none_match)):
            raise DeviceChanged(f"If-None-Match: the {what} exists already")

    return check


def _header(request: Request, name: str) -> str | None:
    """All values of a header, with commas; None when it was not sent."""
    values = request.headers.getlist(name)
    return ", ".join(values).strip() if values else None


def _weak(header: str) -> list[str]:
    return [tag.removeprefix("W/") for tag in _TAG.findall(header)]
