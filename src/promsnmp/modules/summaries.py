"""One-line summaries of all modules, for lists that people read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from promsnmp.modules.catalogue import Catalogue, builtin_catalogue

BUILT_IN = "built-in"
FROM_FILES = "file"


@dataclass(frozen=True, slots=True)
class ModuleSummary:
    """A module in one line."""

    name: str
    text: str
    """Its description; "" when its file has none."""
    metrics: int
    source: str
    """``built-in``, or ``file`` for one of the operator's files."""


def module_summaries(catalogue: Catalogue | None = None) -> list[ModuleSummary]:
    """All modules of a catalogue, by name; without one, those built in."""
    builtin = builtin_catalogue()
    catalogue = catalogue or builtin
    texts = dict(_texts())
    summaries = []
    for name, module in sorted(catalogue.modules.items()):
        is_builtin = builtin.modules.get(name) == module
        text, source = (texts.get(name, ""), BUILT_IN) if is_builtin else ("", FROM_FILES)
        summaries.append(ModuleSummary(name, text, len(module.metrics), source))
    return summaries


def _texts() -> Iterator[tuple[str, str]]:
    """The first sentence of the comment at the top of each built-in file, by the name of the file."""
    for file in resources.files("promsnmp.modules").joinpath("builtin").iterdir():
        name = Path(file.name)
        if name.suffix == ".yml":
            yield name.stem, first_sentence(file.read_text(encoding="utf-8"))


def first_sentence(text: str) -> str:
    """The first sentence of the comment that a file begins with, without its full stop."""
    comment: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# "))
    sentence, _, _ = " ".join(comment).partition(". ")
    return sentence.removesuffix(".")
