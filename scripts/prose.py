"""Checks the English of docs, docstrings, comments and messages: proselint, and words that this project avoids.

    python -m scripts.prose             everything that git tracks
    python -m scripts.prose FILE ...    some files

Prints ``file:line: what is wrong`` and ends with exit code 1 when anything is found. Code in Markdown is not prose.
``prose-ok`` in a line of Python, or ``<!-- prose-ok -->`` in one of Markdown, accepts that line.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AVOIDED = {
    r"\b(?:is|are|was|were|be|been) told\b": "say who tells whom what: 'X reports', 'the log says'",
    r"\btells? of\b": "use 'reports', 'describes' or 'lists'",
    r"\bby itself\b": "use 'automatically' or 'on its own'",
    r"\bby a fault of\b": "use 'because of an error in'",
    r"\bwhat is no\b": "use 'what is not a'",
    r"\bis none (?:that|of)\b": "use 'is not one'",
    r"\bthere (?:is|are) none\b": "say what is missing: 'without a file', 'when the device does not exist'",
    r"\bof which there\b": "start a new sentence",
    r"\b(?:1|one) (?:packets|varbinds|devices|addresses|problems|rows|samples)\b": "singular: '1 packet'",
    r"\bis possible to be\b": "use 'can be'",
    r"\bno [a-z]+ now that\b": "use 'no X available'",
    r"\bby now\b": "use 'meanwhile' or leave it out",
    r"\bwhosoever\b|\bwhereof\b|\bthereof\b|\bthereby\b": "archaic",
}
"""Phrases to avoid (regular expressions), and what to write instead."""
CHECKS_OFF = ("typography", "lexical_illusions", "misc.illogic", "hedging", "spelling", "annotations")
"""Checks of proselint that do not suit technical prose."""
ALLOWED = "prose-ok"
PROSE_SUFFIXES = (".md", ".py")


def tracked() -> list[Path]:
    """The Markdown and Python files of the project, without data of tests."""
    patterns = ("*.md", "src/*.py", "scripts/*.py", "bench/*.py", "tests/*.py")
    listed = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def lines_of_markdown(text: str) -> list[str]:
    """The lines of a page, code blanked out."""
    lines, in_code = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            in_code = not in_code
            lines.append("")
        else:
            lines.append("" if in_code else re.sub(r"`[^`]*`|\]\([^)]*\)", "X", line))
    return lines


def lines_of_python(text: str) -> list[str]:
    """The lines of a module, with comments and strings only; code in backquotes is blanked out."""
    lines = [""] * len(text.splitlines())
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for number, part in enumerate(token.string.splitlines(), token.start[0] - 1):
                lines[number] += " " + re.sub(r"`+[^`]*`+", "X", part)
    return lines


def prose_of(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return lines_of_markdown(text) if path.suffix == ".md" else lines_of_python(text)


def avoided(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers and advice for phrases to avoid."""
    written = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(prose_of(path), 1):
        if ALLOWED in written[number - 1]:
            continue
        for pattern, advice in AVOIDED.items():
            if match := re.search(pattern, line, re.IGNORECASE):
                yield number, f"{match[0]!r}: {advice}"


def proselint(paths: list[Path]) -> Iterator[str]:
    """What proselint says of the pages, their code left out."""
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for index, path in enumerate(paths):
            copy = Path(folder) / f"{index}.md"
            copy.write_text("\n".join(prose_of(path)) + "\n", encoding="utf-8")
            names[copy.name] = path
        command = [sys.executable, "-m", "proselint", "check", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.stderr.strip():
            raise SystemExit(f"proselint failed: {done.stderr.strip()}")
        for file, line, check, message in re.findall(r"^(.+?):(\d+):\d+: ([\w.]+): (.*)$", done.stdout, re.MULTILINE):
            if not check.startswith(CHECKS_OFF):
                yield f"{names[Path(file).name].relative_to(ROOT)}:{line}: {message} ({check})"


def main(arguments: list[str]) -> int:
    paths = [Path(name).resolve() for name in arguments] or tracked()
    paths = [path for path in paths if path.suffix in PROSE_SUFFIXES and path.name != Path(__file__).name]
    found = [f"{path.relative_to(ROOT)}:{number}: {text}" for path in paths for number, text in avoided(path)]
    found += proselint([path for path in paths if path.suffix == ".md"])
    print("\n".join(found) or f"{len(paths)} files of prose checked")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
