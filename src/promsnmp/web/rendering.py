"""Renders the templates, in threads.

Every string that a template prints is escaped (autoescape), and its hidden characters are shown as codes
(``finalize``), so no template can forget it. ``live/NAME.html`` is what is replaced while a page is open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TypeVar
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from promsnmp.web import text
from promsnmp.web.edit.viewer import Viewer
from promsnmp.web.sources import Sources

PAGES_AT_ONCE = 2
"""Pages that are made at the same time: each takes a thread, which others need as well. Waiting for a device is not
making a page."""
FRAGMENTS = frozenset(("check",))
"""What is never a whole page."""
_Result = TypeVar("_Result")


class PageRenderer:
    """Renders pages of ``sources``. ``clock``: Unix time."""

    def __init__(self, sources: Sources, clock: Callable[[], float] = time.time) -> None:
        self._sources = sources
        self._clock = clock
        self._slots = asyncio.Semaphore(PAGES_AT_ONCE)
        self._environment = environment()

    async def in_thread(self, work: Callable[..., _Result], *values: object) -> _Result:
        """What takes longer than the event loop can wait: at most PAGES_AT_ONCE at a time."""
        async with self._slots:
            return await asyncio.to_thread(work, *values)

    async def render(self, name: str, base: str, values: Mapping[str, object], *, is_fragment: bool) -> str:
        """``html`` of a page that may have thousands of rows, in a thread."""
        return await self.in_thread(partial(self.html, name, base, values, is_fragment=is_fragment))

    def form(self, template: str, values: Mapping[str, object], viewer: Viewer, *, base: str) -> str:
        """A page that is a form, or an answer to one."""
        return self.html(template, base, {"viewer": viewer, "notice": "", **values}, is_fragment=False)

    def html(self, name: str, base: str, values: Mapping[str, object], *, is_fragment: bool) -> str:
        """A page, or its live part (``is_fragment``); ``base`` is the way from its path to the overview."""
        folder = "live/" if (is_fragment and name != "missing") or name in FRAGMENTS else ""
        shown = {
            "version": self._sources.version,
            "site": self._sources.site,
            "base": base,
            "page": name,
            "now": self._clock(),
            "interval": self._sources.interval,
            **values,
        }
        return self._environment.get_template(f"{folder}{values.get('template', name)}.html").render(shown)

    def macro(self, template: str, name: str) -> Callable[..., str]:
        """A macro of a template, for a part that is a file of its own."""
        made: Callable[..., str] = getattr(self._environment.get_template(template).module, name)
        return made


def to_overview(path: str) -> str:
    """The way from a path to the overview."""
    return "../" * (path.count("/") - 1)


@cache
def environment() -> Environment:
    """The templates, with filters for numbers; compiled once for each process."""
    made = Environment(
        loader=PackageLoader("promsnmp.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "ago": text.ago,
        "bits": lambda value: text.scaled(value, "bit/s"),
        "bytes": lambda value: text.scaled(value, "B", 1024.0),
        "count": text.count,
        "counted": text.counted,
        "number": text.number,
        "detail": text.detail,
        "percent": text.percent,
        "seconds": text.seconds,
        "short": text.visible,
        "short_number": text.short_number,
        "timestamp": text.timestamp,
        "whole": escape,
        "url": lambda value: quote(value, safe="", errors="replace"),
    }
    return made


def _finalize(value: object) -> object:
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
