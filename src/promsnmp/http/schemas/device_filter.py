"""Parameters that choose devices, the same for lists of devices and for targets (``inventory/query.py``)."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request

from promsnmp.http.responses.errors import ApiError
from promsnmp.http.schemas.openapi import parameter
from promsnmp.inventory.query import FIELDS, Query, parse_parameters

DEVICE_FILTER_PARAMETERS = [
    parameter(name, f"Devices whose {name} this is, or one of these; `*` stands for anything.", many=True)
    for name in (*FIELDS, "module")
]
"""For OpenAPI, which cannot say that ``label.<name>`` is a parameter for every name."""


def device_filter_of(request: Request, *, without: Sequence[str] = ()) -> Query:
    """The devices that the parameters of a request choose. Raises ApiError 400."""
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in without]
    try:
        return parse_parameters(pairs)
    except ValueError as error:
        raise ApiError(400, str(error)) from None
