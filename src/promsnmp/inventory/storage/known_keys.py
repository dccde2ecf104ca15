"""Keys that everybody knows: placeholders of manifests, defaults of the original, patterns that people type.

They still open an inventory, since first steps and migrations need that, but they protect nothing: PromSNMP says so in
its log, its health and a metric, until the inventory has another key.
"""

from __future__ import annotations

_BEGINNINGS = (b"0123456789abcdef", b"1234567890", b"abcdefghijklmnop")
_PLACEHOLDERS = (b"change-me", b"changeme", b"change_me", b"replace-me", b"replace_me")

REMEDY = "run: promsnmp inventory rekey"


def is_known(key: bytes) -> bool:
    """Whether ``key`` is a placeholder (``change-me-16byte``), a default (``0123456789ABCDEF``), or a repetition."""
    text = key.lower()
    return text.startswith(_BEGINNINGS) or any(word in text for word in _PLACEHOLDERS) or _repeats(text)


def _repeats(text: bytes) -> bool:
    """Whether ``text`` is a short piece, such as one character, over and over."""
    return text in (text + text)[1:-1]


def key_warning(key: bytes) -> str:
    """What is wrong with the key, and what to do; empty for a key that is not known."""
    return (
        f"the key of the inventory is one that everybody knows, so it protects nothing; {REMEDY}"
        if is_known(key)
        else ""
    )
