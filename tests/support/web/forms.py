"""Fills and sends the forms of a page as a browser does: hidden fields, what is chosen, and the token."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


class Forms(HTMLParser):
    """The forms of a page: method, action, and the values of their fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.actions: list[str] = []
        self._area = ""
        self._select = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append({})
            self.actions.append(given.get("action", ""))
        elif tag == "input" and name and self.forms and "form" not in given and given.get("type") != "file":
            self.forms[-1][name] = given.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in given or self._select not in self.forms[-1]):
            self.forms[-1][self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.forms[-1][name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.forms[-1][self._area] = self.forms[-1][self._area].removeprefix("\n")
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1][self._area] += data


class OpenForm:
    """A form that somebody has opened with ``client`` at ``path``: the one whose action ends with ``action``."""

    def __init__(self, client: httpx.AsyncClient, path: str, html: str, action: str = "") -> None:
        found = Forms(html)
        at = next(
            number
            for number, (one, fields) in enumerate(zip(found.actions, found.forms, strict=True))
            if "form_token" in fields and one.endswith(action)
        )
        self.fields = found.forms[at]
        self._client = client
        self._url = urljoin(f"http://host{path}", found.actions[at] or path).removeprefix("http://host")

    async def send(self, **entered: str) -> httpx.Response:
        """Sends it with some fields filled in."""
        return await self._client.post(self._url, data={**self.fields, **entered})


async def open_form(client: httpx.AsyncClient, path: str, action: str = "") -> OpenForm:
    """Opens a page with a form."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return OpenForm(client, path, answer.text, action)
