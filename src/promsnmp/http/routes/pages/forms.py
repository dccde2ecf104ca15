"""Reads the forms of pages. What all forms need (a token against forgery) is checked here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import Request

from promsnmp.http.responses.bodies import read_body
from promsnmp.http.responses.errors import ApiError

MAX_FIELDS = 2_000
Form = Mapping[str, list[str]]
"""The values of each field, in order."""


async def read_form(request: Request, *, max_bytes: int) -> Form:
    """The fields of a form. Raises ApiError (400, 413)."""
    body = await read_body(request.scope, request.receive, max_bytes=max_bytes)
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise ApiError(400, "the form cannot be read") from None


def first(form: Form, name: str) -> str:
    """The first value of a field, without space around it; empty without one."""
    return next(iter(form.get(name, ())), "").strip()
