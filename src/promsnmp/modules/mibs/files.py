"""Loads folders of MIB files into a tree, with a cache: parsing is slow and MIBs seldom change.

The cache holds the parser's results as JSON, by the digest of the file; if an entry is damaged or foreign, the file is
parsed again. The network is never used.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from promsnmp.errors import ModuleError
from promsnmp.modules.mibs.definitions import MibModule, MibProblem, ParsedFile, from_json, to_json
from promsnmp.modules.mibs.linker import link
from promsnmp.modules.mibs.parser import SmiParser
from promsnmp.modules.mibs.tree import LoadedMibs

MAX_FILE = 32 << 20
"""Maximum octets of a file; no MIB is that large."""

Progress = Callable[[int, int], None]
"""Called with the number of finished files and of all files."""

_FORMAT = 3
"""Version of the cache format; change it when the cached values change."""
_BEGIN = re.compile(r"^[ \t]*[A-Za-z][\w-]*\s*(?:\{[^}]*\}\s*)?DEFINITIONS\s*::=\s*BEGIN\b", re.MULTILINE)


def load_mibs(folders: Sequence[Path], *, cache: Path | None = None, progress: Progress | None = None) -> LoadedMibs:
    """Loads every MIB file in ``folders`` and their subfolders; ``cache`` is the folder for parsed files.

    Raises ModuleError when a folder cannot be read, or pysmi is not installed.
    """
    parser = SmiParser()
    parsed_files = _Cache(_cache_folder(cache), parser.version)
    files = [path for folder in folders for path in _files(folder)]
    modules, problems = list[MibModule](), list[MibProblem]()
    for done, path in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        parsed = _read(path, parser, parsed_files)
        modules += parsed.modules
        problems += parsed.problems
    if progress is not None:
        progress(len(files), len(files))
    return link(modules, problems)


def default_cache() -> Path:
    """This user's folder for parsed files, in the temporary directory."""
    return Path(tempfile.gettempdir()) / f"promsnmp-mibs-{os.getuid()}"


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder and its subfolders, in a fixed order; for a file, the file itself."""
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise ModuleError(f"{folder}: no such folder of MIB files")
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(names) if not name.startswith("."))


def _read(path: Path, parser: SmiParser, cache: _Cache) -> ParsedFile:
    try:
        if not path.is_file():
            return ParsedFile()
        if path.stat().st_size > MAX_FILE:
            return ParsedFile(problems=(MibProblem(str(path), 0, f"left out: larger than {MAX_FILE >> 20} MiB"),))
        octets = path.read_bytes()
    except OSError as error:
        return ParsedFile(problems=(MibProblem(str(path), 0, f"cannot be read: {error.strerror}"),))
    text = _text(octets)
    if not _BEGIN.search(text):
        return ParsedFile()  # not a MIB: a README, an index
    key = hashlib.sha256(octets).hexdigest()
    parsed = cache.get(key, path)
    if parsed is None:
        parsed = parser.parse(text, path=str(path))
        cache.put(key, parsed)
    return parsed


def _text(octets: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with a byte order mark, or else Latin-1."""
    is_utf16 = octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return octets.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


class _Cache:
    """Stores parsed files in ``folder``; without a folder it stores nothing."""

    def __init__(self, folder: Path | None, version: str) -> None:
        self._folder = folder
        self._suffix = f"-{_FORMAT}-{version}.json"

    def get(self, key: str, path: Path) -> ParsedFile | None:
        if self._folder is None:
            return None
        try:
            return from_json((self._folder / (key + self._suffix)).read_text(encoding="utf-8"), path=str(path))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, parsed: ParsedFile) -> None:
        if self._folder is None:
            return
        try:
            with tempfile.NamedTemporaryFile("w", dir=self._folder, delete=False, encoding="utf-8") as file:
                file.write(to_json(parsed))
            Path(file.name).replace(self._folder / (key + self._suffix))
        except OSError:
            self._folder = None


def _cache_folder(configured: Path | None) -> Path | None:
    """The folder for parsed files: the configured one, or the default if no other user can write to it."""
    if configured is not None:
        try:
            configured.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModuleError(f"{configured}: cannot create the folder for parsed MIBs: {error.strerror}") from None
        return configured
    folder = default_cache()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if is_private else None
