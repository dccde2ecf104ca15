"""Query parameters that filter devices, the same for lists of devices and for targets (``inventory/query.py``)."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request

from promsnmp.http.responses.errors import ApiError
from promsnmp.http.schemas.openapi import parameter
from promsnmp.inventory.query import FIELDS, Query, parse_parameters

DEVICE_FILTER_PARAMETERS = [
    parameter(name, f"Devices whose {name} is one of these; `*` matches anything.", many=True)
    for name in (*FIELDS, "module")
]
"""For OpenAPI, which cannot express that ``label.<name>`` is a parameter for every name."""


def device_filter_of(request: Request, *, without: Sequence[str] = ()) -> Query:
    """The filter in the parameters of a request. Raises ApiError 400."""
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in without]
    try:
        return parse_parameters(pairs)
    except ValueError as error:
        raise ApiError(400, str(error)) from None
