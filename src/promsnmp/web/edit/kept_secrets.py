"""Keeps the secrets of a form that was not saved, so that they need not be entered again: forms never show them.

They stay in the memory of the leader for a few minutes, for whoever sent the form.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

from cachetools import TTLCache

LIFETIME = 600.0
"""Seconds."""
MOST_FORMS = 200
MOST_CHARACTERS = 4_096
"""Of the secrets of one form."""


class KeptSecrets:
    """The secrets by the id that the next form sends. ``clock``: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: TTLCache[str, tuple[str, Mapping[str, str]]] = TTLCache(MOST_FORMS, LIFETIME, clock)

    def keep(self, entered: Mapping[str, str], form_token: str) -> str:
        """Keeps what was entered, for who has the form token; returns the id, empty when nothing is kept."""
        given = {key: value for key, value in entered.items() if value}
        if not given or not form_token or sum(map(len, given.values())) > MOST_CHARACTERS:
            return ""
        kept_id = secrets.token_urlsafe(16)
        self._kept[kept_id] = form_token, given
        return kept_id

    def find(self, kept_id: str, form_token: str) -> Mapping[str, str]:
        """What was kept; nothing for another form token, or an id that is not known any more."""
        token, given = self._kept.get(kept_id, ("", {}))
        return given if token and secrets.compare_digest(token.encode(), form_token.encode()) else {}
