"""What a page says after a form has done something: fixed sentences, chosen by a parameter of the address."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from promsnmp.web.text import count, counted

NOTICES = {
    "saved": "Saved.",
    "unchanged": "Nothing has changed.",
    "added": "Added. Its first poll has begun.",
    "polled": "Polled.",
    "polling": "The poll has begun and is not over yet.",
    "detected": "Modules were detected again, and the device was polled.",
    "unreachable": "The replica that polls this device does not answer, so it was not polled.",
    "reloaded": "All files were read again, on this replica.",
    "stepped-down": "The leader has stepped down; another replica is elected.",
    "none": "No device is selected.",
    "credentials-added": "Added.",
    "credentials-changed": "Changed, and so were the devices that use them. Their next polls have the new ones.",
    "credentials-removed": "Removed.",
}
COUNTED: dict[str, Callable[[int], str]] = {
    "polls": lambda number: f"{count(number)} {'poll has' if number == 1 else 'polls have'} begun.",
    "labels-set": lambda number: f"Set labels of {counted(number, 'device')}.",
    "modules-set": lambda number: f"Set modules of {counted(number, 'device')}.",
    "credentials-set": lambda number: f"Set credentials of {counted(number, 'device')}.",
    "removed": lambda number: f"Removed {counted(number, 'device')}.",
}
"""By the number that ``number`` gives."""
_MOST_DIGITS = 9


def notice_of(query: Sequence[tuple[str, str]]) -> str:
    """The sentence that a page shows; empty without a notice, and when its number cannot be read."""
    given = dict(query)
    done, number = given.get("done", ""), given.get("number", "")
    if done not in COUNTED:
        return NOTICES.get(done, "")
    is_number = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
    return COUNTED[done](int(number)) if is_number else ""
