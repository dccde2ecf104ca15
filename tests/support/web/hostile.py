"""Texts that a device, or a person, may give, and what must not come of them."""

from __future__ import annotations

import re

from tests.support.web.html import Page

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x="',
    "template": "{{ 7 * 7 }}{% raw %}",
    "long": "<b>" + "A" * 65_536,
    "direction": "\u202egnp.exe\u2066",
    "controls": "\x00\x07\x1b[2J\x7f\x9b\ufeff\u200b\ufffe\uffff",
    "surrogate": "\ud800\udfff",
    "lines": "a\r\nSet-Cookie: x=1\n\n<p>",
}
_HIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


def check_harmless(html: str, plain: str) -> Page:
    """Asserts that a page has no elements that ``plain`` (the same page with harmless texts) has not, no handlers of
    events, and no hidden characters."""
    page, allowed = Page(html), Page(plain).names()
    assert page.unclosed == []
    assert page.names() <= allowed | {"bdi"}
    names = {attribute for _, attributes in page.elements for attribute in attributes}
    assert [one for one in names if one == "style" or one.startswith(("on", "hx-on"))] == []
    assert not _HIDDEN.search(html)
    assert len(html) < 200_000
    return page
