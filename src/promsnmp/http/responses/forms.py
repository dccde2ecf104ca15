"""Reads the forms of pages: ``application/x-www-form-urlencoded``, and ``multipart/form-data`` (RFC 7578) for files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from promsnmp.http.responses.errors import ApiError

Form = Mapping[str, list[str]]
"""The values of each field, in order. The name of a file is the field ``NAME.filename``."""

MAX_FIELDS = 2_000
LARGE = 64 * 1024
"""Bytes from which on a form is read outside the event loop."""
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(rb'(?:^|[;\s])name="([^"\r\n]{0,200})"')
_FILENAME = re.compile(rb'filename="([^"\r\n]{0,200})"')


async def read_form(content_type: str, body: bytes) -> Form:
    """The fields of a form. Raises ApiError 400 for one that cannot be read, 415 for another type."""
    if len(body) < LARGE:
        return parse_form(content_type, body)
    return await asyncio.to_thread(parse_form, content_type, body)


def parse_form(content_type: str, body: bytes) -> Form:
    """As ``read_form``, at once."""
    media_type = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if media_type == "application/x-www-form-urlencoded":
        return _parse_urlencoded(body)
    if media_type == "multipart/form-data" and (found := _BOUNDARY.search(content_type)) is not None:
        return _parse_multipart(found[1].encode("latin-1"), body)
    raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "this page takes what its own forms send")


def first(form: Form, name: str) -> str:
    """The first value of a field, as it was entered; empty without one."""
    return form.get(name, [""])[0]


def _parse_urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict", encoding="utf-8"
        )
    except (UnicodeDecodeError, ValueError):
        raise _unreadable() from None
    return _collected(pairs)


def _parse_multipart(boundary: bytes, body: bytes) -> Form:
    delimiter = b"\r\n--" + boundary
    parts = (b"\r\n" + body).split(delimiter, MAX_FIELDS + 1)
    if len(parts) < 2 or len(parts) > MAX_FIELDS or not parts[-1].startswith(b"--"):
        raise _unreadable()
    pairs: list[tuple[str, str]] = []
    for part in parts[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None:
            raise _unreadable()
        try:
            key = name[1].decode()
            if (filename := _FILENAME.search(head)) is not None:
                pairs.append((f"{key}.filename", filename[1].decode(errors="replace")))
            pairs.append((key, content.decode()))
        except UnicodeDecodeError:
            raise ApiError(HTTPStatus.BAD_REQUEST, "the file is not UTF-8 text") from None
    return _collected(pairs)


def _collected(pairs: list[tuple[str, str]]) -> Form:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _unreadable() -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "the form cannot be read")
