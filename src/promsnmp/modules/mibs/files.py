"""Loads folders of MIB files into a tree, with a cache: MIBs seldom change.

No file is passed over silently: what cannot be read, and what is not a MIB, is among the problems. Only hidden files
and folders (``.git``) are not looked at. The cache holds the parser's results as JSON, by the digest of the file; if an
entry is damaged or foreign, the file is parsed again. The network is never used.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from promsnmp import __version__
from promsnmp.errors import ModuleError
from promsnmp.modules.mibs.definitions import MibModule, MibProblem, ParsedFile, from_json, to_json
from promsnmp.modules.mibs.linker import link
from promsnmp.modules.mibs.parser import parse
from promsnmp.modules.mibs.tree import LoadedMibs

MAX_FILE = 16 << 20
"""Maximum octets of a file; no MIB is that large."""
MAX_FILES = 20_000
"""Maximum number of files; a folder with more is not a folder of MIBs."""
MAX_TOTAL = 512 << 20
"""Maximum octets of all files."""
MAX_DECLARATIONS = 1_000_000
"""Maximum number of declarations of all files; each takes about 1.3 KiB of memory."""

Progress = Callable[[int, int], None]
"""Called with the number of finished files and of all files."""

_FORMAT = 6
"""Version of the cache; change it when the parser gives other values for a file, too."""
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7z",
    b"%PDF": "PDF",
}


def load_mibs(folders: Sequence[Path], *, cache: Path | None = None, progress: Progress | None = None) -> LoadedMibs:
    """Loads every MIB file in ``folders`` and their subfolders; ``cache`` is the folder for parsed files.

    Raises ModuleError when a folder does not exist, or the folders have too many files or declarations.
    """
    problems, modules = list[MibProblem](), list[MibModule]()
    parsed_files = _Cache(_cache_folder(cache))
    files = _listed(folders, problems)
    total = declarations = 0
    for done, path in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        octets = _octets(path, MAX_TOTAL - total, problems)
        total += len(octets)
        parsed = _parsed(octets, path, parsed_files) if octets else ParsedFile()
        declarations += sum(len(module.definitions) + len(module.types) for module in parsed.modules)
        if declarations > MAX_DECLARATIONS:
            raise ModuleError(f"{path}: more than {MAX_DECLARATIONS} declarations in all files; name fewer folders")
        modules += parsed.modules
        problems += parsed.problems
    if progress is not None:
        progress(len(files), len(files))
    return link(modules, problems)


def default_cache() -> Path:
    """This user's folder for parsed files, in the temporary directory."""
    return Path(tempfile.gettempdir()) / f"promsnmp-mibs-{os.getuid()}"


def _listed(folders: Sequence[Path], problems: list[MibProblem]) -> list[Path]:
    files: list[Path] = []
    for folder in folders:
        for path in _files(folder, problems):
            files.append(path)
            if len(files) > MAX_FILES:
                raise ModuleError(f"{folder}: more than {MAX_FILES} files; name the folder of the MIB files itself")
    return files


def _files(folder: Path, problems: list[MibProblem]) -> Iterator[Path]:
    """The files of a folder and its subfolders, in a fixed order; for a file, the file itself."""
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise ModuleError(f"{folder}: no such folder of MIB files")

    def unreadable(error: OSError) -> None:
        text = f"this folder cannot be read: {error.strerror}; make it readable for this user"
        problems.append(MibProblem(str(error.filename), 0, text, lost=True))

    seen = set[tuple[int, int]]()
    for root, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        found = Path(root).stat()
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(names) if not name.startswith("."))


def _octets(path: Path, limit: int, problems: list[MibProblem]) -> bytes:
    """The contents of a file; nothing, and a problem, when it has none or cannot be read."""

    def refused(text: str, *, lost: bool) -> bytes:
        problems.append(MibProblem(str(path), 0, text, lost))
        return b""

    try:
        if path.exists() and not path.is_file():
            return refused("is not a regular file and is left out", lost=False)
        size = path.stat().st_size
        if size > MAX_FILE:
            return refused(f"left out: larger than {MAX_FILE >> 20} MiB; no MIB is, split it if it is one", lost=True)
        if size > limit:
            return refused(f"left out: more than {MAX_TOTAL >> 20} MiB of MIB files; name fewer folders", lost=True)
        octets = path.read_bytes()
    except OSError as error:
        return refused(f"cannot be read: {error.strerror}; make it readable for this user, or remove it", lost=True)
    kind = next((name for start, name in _PACKED.items() if octets.startswith(start)), "")
    if kind:
        return refused(f"is {kind} and is left out; extract the MIB files in it", lost=True)
    return octets or refused("is empty", lost=False)


def _parsed(octets: bytes, path: Path, cache: _Cache) -> ParsedFile:
    key = hashlib.sha256(octets).hexdigest()
    parsed = cache.get(key, path)
    if parsed is None:
        parsed = parse(_text(octets), path=str(path))
        cache.put(key, parsed)
    return parsed


def _text(octets: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 (with a byte order mark, or when every other octet is NUL), or else Latin-1."""
    is_utf16 = octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    head = octets[:200]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if zeros and not any(zeros) and not is_utf16:
            return octets.decode(encoding, errors="replace")
    try:
        return octets.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


class _Cache:
    """Stores parsed files in ``folder``; without a folder it stores nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._suffix = f"-{_FORMAT}-{__version__}.json"

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
