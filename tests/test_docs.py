"""The pages: links lead somewhere, every page is in the site's navigation, and pictures are small and described."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from scripts.screenshots.__main__ import MAX_OCTETS, TERMINAL_PICTURES, WEB_PICTURES
from tests.support.tools import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), PROJECT / "bench" / "README.md"])
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def links_of(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [url or image for url, image in LINK.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    broken = []
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


def test_every_test_that_a_promise_names_exists() -> None:
    text = (PROJECT / "docs" / "high-availability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert named
    for path, test in named:
        assert (PROJECT / path).is_file(), path
        assert not test or f"def {test}(" in (PROJECT / path).read_text(encoding="utf-8"), f"{path}::{test}"


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    site = tomllib.loads((PROJECT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(pages_of(site["nav"])) == sorted(
        str(page.relative_to(PROJECT / "docs")) for page in PROJECT.glob("docs/**/*.md")
    )


def pages_of(nav: list[Any]) -> list[str]:
    pages: list[str] = []
    for entry in nav:
        for target in entry.values():
            pages += [target] if isinstance(target, str) else pages_of(target)
    return pages


def images() -> dict[Path, list[str]]:
    """The files that the pages show, each with its alternative texts."""
    shown: dict[Path, list[str]] = {}
    for page in PAGES:
        for text, link in IMAGE.findall(page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", link):
                shown.setdefault((page.parent / link).resolve(), []).append(text)
    return shown


def test_every_image_is_small_described_and_shown_on_a_page() -> None:
    shown = images()
    assert set(shown) == set((PROJECT / "docs" / "images").iterdir())
    for path, texts in shown.items():
        size = path.stat().st_size
        assert 1000 < size <= MAX_OCTETS, f"{path.name}: {size} octets"
        assert all(len(text.split()) >= 5 for text in texts), f"{path.name}: describe what it shows"


def test_every_screenshot_is_in_the_documentation() -> None:
    taken = {f"{picture.name}.png" for picture in WEB_PICTURES} | {
        f"{picture.name}.svg" for picture in TERMINAL_PICTURES
    }
    assert taken <= {path.name for path in images()}


def test_images_load_nothing_from_elsewhere() -> None:
    for path in images():
        if path.suffix == ".svg":
            svg = path.read_text(encoding="utf-8")
            assert re.findall(r"(?:href|src)=|url\(['\"]?[a-z]+:|@import|<script", svg) == [], path.name
        else:
            assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n"), path.name


FRESH_KEY = re.compile(r"^\W*(?:export +)?\w+=[\"']?\$\((?:openssl rand|head -c|uuidgen)", re.MULTILINE)


@pytest.mark.parametrize(
    "page", [*PAGES, PROJECT / "deploy" / "compose.yaml"], ids=lambda page: str(page.relative_to(PROJECT))
)
def test_no_command_that_is_run_twice_makes_another_key(page: Path) -> None:
    assert FRESH_KEY.findall(page.read_text(encoding="utf-8")) == [], "write the key to a file, once"
