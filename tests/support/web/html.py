"""Reads a page as a browser does: its elements and its text."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = frozenset(("meta", "link", "input", "br", "rect"))


class Page(HTMLParser):
    """The elements of an HTML document with their attributes, in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        """The texts of the cells of each row of each table."""
        self.unclosed: list[str] = []
        self._text: list[str] = []
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._text).split())

    def names(self) -> set[str]:
        """The names of all elements."""
        return {name for name, _ in self.elements}

    def links(self) -> list[str]:
        """Where all links lead."""
        return [attributes.get("href") or "" for name, attributes in self.elements if name == "a"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.unclosed.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed, f"</{tag}> closes nothing"
        assert self.unclosed.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self._text.append(data)
        if {"td", "th"} & set(self.unclosed) and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data
