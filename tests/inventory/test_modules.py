from __future__ import annotations

import pytest

from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import FALLBACK, effective_modules, resolve_modules

FOUND = ("system", "if_mib", "cisco")


@pytest.mark.parametrize(
    ("own", "configured", "detected", "found", "polled"),
    [
        (("ups",), ("auto",), FOUND, ("system",), ("ups",)),
        ((), ("system", "ups"), FOUND, ("system",), ("system", "ups")),
        ((), ("auto",), FOUND, ("system",), FOUND),
        ((), ("auto",), (), ("system", "ups"), ("system", "ups")),
        ((), ("auto",), (), (), FALLBACK),
        (("auto", "mine"), ("ups",), FOUND, (), (*FOUND, "mine")),
        ((), ("cisco", "auto"), FOUND, (), ("cisco", "system", "if_mib")),
    ],
)
def test_a_device_is_polled_with_what_the_operator_wants_then_with_what_is_known_of_it(
    own: tuple[str, ...],
    configured: tuple[str, ...],
    detected: tuple[str, ...],
    found: tuple[str, ...],
    polled: tuple[str, ...],
) -> None:
    device = Device("1", modules=own, detected_modules=detected)
    assert effective_modules(device, configured, found) == polled


def test_a_wish_without_auto_is_taken_as_it_is() -> None:
    assert resolve_modules(("if_mib", "system"), FOUND) == ("if_mib", "system")
