"""Who looks at a page and who sends a form, as ``http`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Form = Mapping[str, list[str]]
"""The values of each field of a form, in order."""


class Viewer(Protocol):
    """Who looks at a page."""

    @property
    def name(self) -> str:
        """As access control gives it; empty for somebody who has not said who they are."""

    @property
    def may_change(self) -> bool:
        """Whether they may change something: only then a page offers it."""

    @property
    def form_token(self) -> str:
        """What the forms of the page carry."""


class Sender(Protocol):
    """Who sends a form."""

    @property
    def who(self) -> str:
        """For the audit log."""

    @property
    def request_id(self) -> str:
        """The ID of a request that another replica forwards."""

    @property
    def viewer(self) -> Viewer:
        """To whom the answer goes."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Somebody who may only read."""

    name: str = ""
    may_change: bool = False
    form_token: str = ""


NOBODY = Unknown()


def first(form: Form, key: str) -> str:
    """The first value of a field; empty without one."""
    return form.get(key, [""])[0]
