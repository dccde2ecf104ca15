"""Pictures of web pages, by Chromium without a window."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from scripts.screenshots.services import Failed, require

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
PAGE_SECONDS = 8
"""How long the scripts of a page run before the picture is taken, in the page's own time."""
LIMIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class WebPicture:
    """``name`` of the PNG file without suffix, and the size of the window in pixels: no text should be cut off."""

    name: str
    url: str
    width: int
    height: int


def take(picture: WebPicture, folder: Path, *, profile: Path) -> Path:
    """Takes the picture into ``folder``; ``profile`` is a new folder for Chromium. Raises Failed."""
    file = folder / f"{picture.name}.png"
    file.unlink(missing_ok=True)
    command = [
        require("chromium"), *FLAGS, f"--user-data-dir={profile}", f"--window-size={picture.width},{picture.height}",
        f"--virtual-time-budget={PAGE_SECONDS * 1000}", f"--screenshot={file}", picture.url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    if not file.exists():
        raise Failed(f"Chromium took no picture of {picture.url} (exit code {done.returncode}): {done.stderr[-2000:]}")
    return file
