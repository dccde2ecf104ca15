from __future__ import annotations

import pytest

from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import FALLBACK, effective_modules, resolve_modules

FOUND = ("system", "if_mib", "cisco")


@pytest.mark.parametrize(
    ("own", "configured", "detected", "polled"),
    [
        (("ups",), ("auto",), FOUND, ("ups",)),
        ((), ("system", "ups"), FOUND, ("system", "ups")),
        ((), ("auto",), FOUND, FOUND),
        ((), ("auto",), (), FALLBACK),
        (("auto", "mine"), ("ups",), FOUND, (*FOUND, "mine")),
        ((), ("cisco", "auto"), FOUND, ("cisco", "system", "if_mib")),
    ],
)
def test_the_modules_of_the_device_win_over_those_of_the_settings_and_auto_means_the_detected_ones(
    own: tuple[str, ...], configured: tuple[str, ...], detected: tuple[str, ...], polled: tuple[str, ...]
) -> None:
    device = Device("1", modules=own, detected_modules=detected)
    assert effective_modules(device, configured) == polled


def test_auto_falls_back_when_nothing_was_detected() -> None:
    assert resolve_modules(("auto", "ups"), ()) == (*FALLBACK, "ups")


def test_a_list_without_auto_stays_as_it_is() -> None:
    assert resolve_modules(("if_mib", "system"), FOUND) == ("if_mib", "system")
