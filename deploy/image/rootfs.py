"""Gathers the files of the images into two folders, in the build stage: ``rootfs.py /opt/promsnmp /rootfs /shell``.

The first has all that PromSNMP loads, which is the image without a shell. The second has what the default image adds: a
shell with the usual programs (busybox) and curl, for people who look into a container, for hooks and for probes. A file
is included because one of them loads it, not because the base image happens to have it. So the images stay small, with
little that an intruder could use or a scanner could find vulnerable. It works the same for Debian's Python (/usr/bin)
and for the official Python images (/usr/local/bin).
"""

from __future__ import annotations

import compileall
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

UID = 10001
TOOLS = ("sleep", "cat", "md5sum")
"""For the preStop hook, for a backup by `kubectl exec`, and to compare the inventory files of two pods."""
SHELL_TOOLS = ("busybox", "curl")
APPLETS = (
    "sh", "[", "awk", "base64", "basename", "cp", "cut", "date", "df", "diff", "dirname", "du", "echo", "env",
    "expr", "false", "find", "grep", "gunzip", "gzip", "head", "hostname", "id", "less", "ln", "ls", "mkdir",
    "mktemp", "mv", "nc", "nslookup", "od", "printf", "ps", "pwd", "readlink", "realpath", "rm", "rmdir",
    "sed", "sha256sum", "sort", "stat", "sync", "tail", "tar", "tee", "test", "top", "touch", "tr", "true",
    "uname", "uniq", "vi", "wc", "wget", "which", "xargs",
)  # fmt: skip
"""Names under which busybox is called, beside those of TOOLS: to read, copy and compare files, and to look at processes
and names. Its other programs need root or a terminal of a machine."""
STDLIB_WITHOUT = (
    "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "pydoc_data", "site-packages",
    "dist-packages", "config-*", "turtle.py", "__pycache__", "LICENSE.txt", "_tkinter.*", "_test*", "_ctypes_test.*",
    "sqlite3", "_sqlite3.*", "dbm", "_dbm.*", "_gdbm.*", "curses", "_curses*", "readline.*", "nis.*", "distutils",
)  # fmt: skip
SITE_WITHOUT = (
    "pip", "pip-*", "pip3*", "setuptools", "setuptools-*", "pkg_resources", "_distutils_hack",
    "distutils-precedence.pth", "__pycache__", "tests", "*.c", "*.pyx", "*.pxd", "*.map",
    "activate*", "Activate*",
)  # fmt: skip
SYSTEM = ("/etc/ssl/certs/ca-certificates.crt", "/usr/share/zoneinfo", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
ZONES_WITHOUT = ("right", "posix", "posixrules", "localtime")
PASSWD = f"root:x:0:0:root:/:/sbin/nologin\npromsnmp:x:{UID}:{UID}:PromSNMP:/app:/sbin/nologin\n"
GROUP = f"root:x:0:\npromsnmp:x:{UID}:\n"
NSSWITCH = "hosts: files dns\n"


def main(venv: Path, root: Path, shell: Path) -> None:
    _bare(venv, root)
    _shell(root, shell)
    for folder in (root, shell):
        size = sum(file.lstat().st_size for file in folder.rglob("*"))
        print(f"{folder}: {size / 1e6:.1f} MB")


def _bare(venv: Path, root: Path) -> None:
    """What PromSNMP takes."""
    standard = Path(sysconfig.get_path("stdlib"))
    root.mkdir()
    _keep_links(root)
    _tree(standard, root, STDLIB_WITHOUT)
    _tree(venv, root, SITE_WITHOUT)
    binaries = [Path(sys.executable).resolve(), *_tools(TOOLS)]
    for file in (*binaries, *_loaded_later()):
        _file(file, root)
    python = venv / "bin" / "python3"
    _link(_inside(root, python), python.resolve())
    _link(_inside(root, Path("/usr/bin/python3")), python.resolve())
    objects = [*binaries, *_objects(standard, root), *_objects(venv, root)]
    for library in _libraries(objects):
        _file(library, root)
    _strip(root)
    _system(root)
    as_it_is = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(root, quiet=1, workers=0, stripdir=str(root), invalidation_mode=as_it_is)


def _shell(root: Path, shell: Path) -> None:
    """What the default image adds to ``root``. Its libraries are in folders that the dynamic linker searches anyway."""
    shell.mkdir()
    tools = list(_tools(SHELL_TOOLS))
    for file in (*tools, *_libraries(tools)):
        if not _inside(root, file).exists():
            target = shell / _inside(root, file).relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file.resolve(), target)
    busybox = tools[0].resolve()
    for name in APPLETS:
        link = shell / "usr" / "bin" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path("/usr/bin") / busybox.name)
    _strip(shell)


def _inside(root: Path, path: Path) -> Path:
    """The place of ``path`` inside ``root``, with the links of its folder followed."""
    return root / path.parent.resolve().relative_to("/") / path.name


def _keep_links(root: Path) -> None:
    """Repeats links such as /lib and /bin into /usr."""
    for path in Path("/").iterdir():
        if path.is_symlink() and (target := path.readlink()).parts[:1] == ("usr",):
            (root / target).mkdir(parents=True, exist_ok=True)
            (root / path.name).symlink_to(target)


def _file(path: Path, root: Path) -> None:
    """A file under its own name and, where that is a link, under the name it leads to."""
    target = _inside(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(path.resolve(), target)


def _tree(path: Path, root: Path, without: tuple[str, ...]) -> None:
    shutil.copytree(path, root / path.relative_to("/"), symlinks=True, ignore=shutil.ignore_patterns(*without))


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)


def _tools(names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        found = shutil.which(name)
        if found is None:
            raise SystemExit(f"rootfs.py: the base image has no {name}")
        yield Path(found)


def _loaded_later() -> Iterator[Path]:
    """Libraries that no program links to, but that libc loads when needed (libgcc_s, when a thread ends)."""
    cache = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    yield from (Path(found) for found in re.findall(r"libgcc_s\.so\.1 .*=> (\S+)", cache)[:1])


def _objects(path: Path, root: Path) -> list[Path]:
    """The shared objects below ``path`` that were copied."""
    return [Path("/") / file.relative_to(root) for file in (root / path.relative_to("/")).rglob("*.so*")]


def _libraries(objects: list[Path]) -> set[Path]:
    """What the dynamic linker loads for ``objects``, itself included (ldd(1))."""
    output = subprocess.run(["ldd", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    if missing := re.findall(r"(\S+) => not found", output):
        raise SystemExit(f"rootfs.py: not found: {', '.join(sorted(set(missing)))}")
    paths = {Path(path) for path in re.findall(r"^\s(?:\S+ => )?(/\S+) \(0x", output, re.MULTILINE)}
    return {path for path in paths if not path.is_relative_to("/opt/promsnmp")}


def _system(root: Path) -> None:
    for name in SYSTEM:
        path, target = Path(name), root / name.lstrip("/")
        if path.is_dir():
            shutil.copytree(path, target, symlinks=True, ignore=shutil.ignore_patterns(*ZONES_WITHOUT))
        elif path.exists():
            _file(path, root)
    etc = root / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(PASSWD)
    (etc / "group").write_text(GROUP)
    (etc / "nsswitch.conf").write_text(NSSWITCH)
    subprocess.run(["ldconfig", "-r", str(root)], check=True)  # its cache is the only way to /usr/local/lib
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    data = root / "app" / "data"
    data.mkdir(parents=True)
    for folder in (data, data.parent):
        shutil.chown(folder, UID, UID)


def _strip(root: Path) -> None:
    """Removes debug symbols, a fifth of the image."""
    objects = [str(file) for file in root.rglob("*.so*") if file.is_file() and not file.is_symlink()]
    subprocess.run(["strip", "--strip-unneeded", *objects], check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
