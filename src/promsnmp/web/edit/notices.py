"""What a page says after a form has done something: fixed sentences, chosen by a parameter of the address."""

from __future__ import annotations

from collections.abc import Sequence

NOTICES = {
    "saved": "Saved.",
    "unchanged": "Nothing has changed.",
    "added": "Added. Its first poll has begun.",
    "polled": "Polled.",
    "polling": "The poll has begun and is not over yet.",
    "detected": "Modules were detected again, and the device was polled.",
    "polls": "{number} polls have begun.",
    "unreachable": "The replica that polls this device does not answer, so it was not polled.",
    "labelled": "Set labels of {number} devices.",
    "moduled": "Set modules of {number} devices.",
    "removed": "Removed {number} devices.",
    "reloaded": "All files were read again, on this replica.",
    "stepped-down": "The leader has stepped down; another replica is elected.",
    "none": "No device is selected.",
}
_MOST_DIGITS = 9


def notice_of(query: Sequence[tuple[str, str]]) -> str:
    """The sentence that a page shows; empty for none."""
    given = dict(query)
    number = given.get("number", "")
    shown = number if number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS else "some"
    sentence = NOTICES.get(given.get("done", ""), "")
    made = sentence.format(number=f"{int(shown):,}".replace(",", "\u202f") if shown.isdigit() else shown)
    return made.replace("devices", "device").replace("polls have", "poll has") if shown == "1" else made
