"""scripts/programs/list.txt names every program that is started, with the package that brings it.

What tests start is checked while they run (tests/support/programs). What scripts, benchmarks, the demo and the image
start is found in their text here.
"""

from __future__ import annotations

import ast
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.programs import listed as programs
from tests.support import tools
from tests.support.programs import NotListed, listed
from tests.support.tools import PROJECT

OWNED = re.compile(r"^(?!diversion )([\w.+-]+).*: \S+/([\w.+-]+)$", re.MULTILINE)
"""A line of dpkg-query -S."""
STARTERS = {
    "subprocess": {"run", "Popen", "call", "check_call", "check_output"},
    "asyncio": {"create_subprocess_exec"},
    "os": {"execv", "execvp", "execvpe"},
    "shutil": {"which"},
    "fetched": {"run"},
    "": {"Process", "process", "require_tool"},
}
"""Functions that start a program or look for one, by module; "" for our own."""
PYTHON = [path for name in ("scripts", "bench", "deploy", "src", "tests") for path in (PROJECT / name).rglob("*.py")]
SHELL = [
    *(PROJECT / "scripts" / name for name in ("step", "bare/enter", "debian-packages")), PROJECT / ".ci" / "run",
    *PROJECT.glob("deploy/**/*.sh"),
]  # fmt: skip
PAGES = [*(PROJECT / "docs" / "how-to" / name for name in ("kubernetes.md", "operations.md"))]
"""Their commands are run by tests/deploy/commands/."""
BUILTIN = {"command", "cd", "echo", "exit", "export", "kill", "printf", "pwd", "read", "set", "test", "trap"}
BEFORE = {"if", "then", "elif", "else", "while", "until", "do", "exec", "env", "time", "!", "{"}
"""Words that stand before a command."""
NO_COMMAND = re.compile(r"(?<!\S)#[^\n]*|'[^']*'|^[^\n(]*\)(?!\))|<<'?(\w+)'?\n.*?^\1$", re.MULTILINE | re.DOTALL)
"""Comments, texts, labels of cases, documents that are read."""


# ------------------------------------------------------------------------------------------- what Python starts


def started_by_python(text: str) -> set[str]:
    """First words of the commands in calls that start a program, as far as the text has them."""
    tree = ast.parse(text)
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name, value in _assigned(target, node.value):
                    values.setdefault(name, []).append(value)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _starts(node.func))
    return {word for call in calls for one in call.args[:1] for word in _first_words(one, values)}


def _starts(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return name in STARTERS.get(module, ())
        case ast.Name(id=name):
            return name in STARTERS[""]
    return False


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, item in zip(target.elts, value.elts, strict=False):
            yield from _assigned(one, item)


def _first_words(node: ast.expr, values: dict[str, list[ast.expr]], depth: int = 5) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(word)) if re.fullmatch(r"[a-z][\w.+-]*", word):
            yield word
        case ast.List(elts=[first, *_]) | ast.Tuple(elts=[first, *_]) | ast.Starred(value=first):
            yield from _first_words(first, values, depth)
        case ast.BinOp(left=left):
            yield from _first_words(left, values, depth)
        case ast.Name(id=name) if depth:
            for value in values.get(name, []):
                yield from _first_words(value, values, depth - 1)


# -------------------------------------------------------------------------------------------- what shells start


def started_by_shell(text: str) -> set[str]:
    """Words where a command stands, as far as they are listed, or programs of this machine."""
    own = set(re.findall(r"^\s*(\w+)\(\)", text, re.MULTILINE))
    plain = NO_COMMAND.sub("", re.sub(r"^\s*\w+\(\)", "", text.replace("\\\n", " "), flags=re.MULTILINE))
    words = {_command(piece.split()) for piece in re.split(r"\$\(|[\n;|&()`]", plain)} - own
    return {word for word in words if word in listed() or shutil.which(word, path=tools.SEARCH)}


def _command(words: list[str]) -> str:
    rest = itertools.dropwhile(lambda word: word in BEFORE or re.match(r"\w+=", word), words)
    word = next(rest, "").strip('"')
    return word if re.fullmatch(r"[a-z][a-z0-9_.+-]*", word) and word not in BUILTIN else ""


def recipes() -> str:
    """The commands of the Makefile."""
    text = (PROJECT / "Makefile").read_text()
    lines = [line.lstrip("\t@").replace("$$", "$") for line in text.splitlines() if line.startswith("\t")]
    return re.sub(r'\$\(STEP\) "[^"]*"', "", "\n".join(lines).replace("\\\n", " "))


def shell_texts() -> dict[str, str]:
    found = {str(path.relative_to(PROJECT)): path.read_text() for path in SHELL if path.is_file()}
    for page in PAGES:
        found[page.name] = "\n".join(re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    return {**found, "Makefile": recipes()}


# ------------------------------------------------------------------------------------------------------ the tests


def test_everything_that_python_starts_is_listed() -> None:
    others = (path for path in PYTHON if path != Path(__file__))
    found = {word: path for path in others for word in started_by_python(path.read_text(encoding="utf-8"))}
    assert found.keys() >= {"apt-get", "mmdebstrap", "git", "gcc", "ldd", "strip", "taskset", "promtool", "podman"}
    unlisted = {word: str(path.relative_to(PROJECT)) for word, path in found.items() if word not in listed()}
    assert unlisted == {}


def test_everything_that_scripts_and_pages_start_is_listed() -> None:
    found = {word: name for name, text in shell_texts().items() for word in started_by_shell(text)}
    assert found.keys() >= {"apt-get", "mount", "pivot_root", "mktemp", "date", "find", "kubectl", "helm", "base64"}
    assert {word: name for word, name in found.items() if word not in listed()} == {}


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("subprocess.run(['less', name])", "less"),
        ("command = ['less', name]\nother = [*command, 1]\nsubprocess.Popen(other, env={})", "less"),
        ("apt, more = ['less'], 2\nfetched.run(apt + ['x'])", "less"),
        ("await asyncio.create_subprocess_exec('less', 'x')", "less"),
    ],
)
def test_a_program_that_python_starts_is_found(text: str, program: str) -> None:
    assert started_by_python(text) == {program}


@pytest.mark.parametrize(
    "text",
    [
        "tail -f x", "a=1 tail x", "x | tail", "if tail x; then", "y=$(tail x)", "(cd a && tail x)", "\ttail x\n",
        "exec tail", "for a in b; do tail $a; done", "! tail x", 'echo "$(tail x)"',
    ],
)  # fmt: skip
def test_a_program_that_a_shell_starts_is_found(text: str) -> None:
    assert "tail" in started_by_shell(text)
    assert "tail" not in listed()


@pytest.mark.parametrize(
    "text", ["# tail x", "echo tail", "tail() { x; }", "case x in\ntail) x ;;\nesac", "awk 'tail x'"]
)
def test_words_that_are_no_commands_are_not_taken_for_some(text: str) -> None:
    assert "tail" not in started_by_shell(text)


def test_a_test_that_starts_what_is_not_listed_fails() -> None:
    with pytest.raises(NotListed, match=r"tail is not in scripts/programs/list\.txt"):
        subprocess.run(["tail", "/dev/null"], check=False)
    with pytest.raises(NotListed, match="no-such-program"):
        tools.require_tool("no-such-program", package="nowhere")
    with pytest.raises(AssertionError, match="snmpd is in the package snmpd, not nowhere"):
        tools.require_tool("snmpd", package="nowhere")


def test_every_program_comes_with_the_package_that_the_list_names() -> None:
    """In it, or in one that it depends on (Debian 13: prometheus and promtool), as far as they are installed here."""
    query = shutil.which("dpkg-query")
    if query is None:
        pytest.skip("no dpkg here")
    debian = [one for one in programs.read() if one.package != programs.NOT_DEBIAN]
    paths = [f"{folder}/{one.name}" for one in debian for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin")]
    owners = {name: package for package, name in OWNED.findall(output_of(query, "-S", *paths))}
    assert len(owners) > 10  # links that alternatives made belong to nobody
    form = "--showformat=${Package}: ${Package}, ${Pre-Depends}, ${Depends}\n"
    lines = output_of(query, "-W", form, *{one.package for one in debian}).splitlines()
    brought = {
        name: set(re.findall(r"[a-z0-9][a-z0-9.+-]+", more)) for name, _, more in (x.partition(":") for x in lines)
    }
    here = [one for one in debian if one.name in owners and one.package in brought]
    wrong = {one.name: owners[one.name] for one in here if owners[one.name] not in brought[one.package]}
    assert wrong == {}


def output_of(query: str, *words: str) -> str:
    return subprocess.run([query, *words], capture_output=True, text=True, check=False).stdout


def test_a_line_that_is_none_is_an_error() -> None:
    assert programs.read("[test]\n# x\nip  iproute2\nhelm -  from PyPI\n") == [
        programs.Program("ip", "test", "iproute2"),
        programs.Program("helm", "test", "-", "from PyPI"),
    ]
    for text in ("ip iproute2\n", "[test]\nip\n"):
        with pytest.raises(ValueError, match="not a program and its package: ip"):
            programs.read(text)
    assert programs.packages("test").count("snmp") == 1
