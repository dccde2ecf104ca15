"""The options for SNMP credentials: a community, or a v3 user.

Passphrases may come from the environment or a prompt, so that they do not show up in the list of processes.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml

from promsnmp.inventory.document.credentials import MIN_PASSPHRASE, read_credentials
from promsnmp.inventory.document.fields import Fields
from promsnmp.inventory.document.seeds import CREDENTIAL_KEYS
from promsnmp.snmp.credentials import (
    LEVEL_NAMES,
    AuthProtocol,
    Community,
    Credentials,
    PrivProtocol,
    SecurityLevel,
    User,
    Version,
)

_P = TypeVar("_P", AuthProtocol, PrivProtocol)
AUTH_PASSPHRASE = "PROMSNMP_AUTH_PASSPHRASE"  # noqa: S105  # names of variables
PRIV_PASSPHRASE = "PROMSNMP_PRIV_PASSPHRASE"  # noqa: S105  # as above
VERSIONS = {"1": Version.V1, "2c": Version.V2C, "3": Version.V3}
DEFAULT_CREDENTIALS = Community(Version.V2C, "public")
"""The credentials when no credential option was given (this very object, not an equal one)."""
LEVELS = {name.lower(): level for level, name in LEVEL_NAMES.items()}


def _protocol_help(protocols: type[AuthProtocol | PrivProtocol], default: AuthProtocol | PrivProtocol) -> str:
    *names, last = (protocol.spec.net_snmp_name for protocol in protocols)
    return f"{', '.join(names)} or {last}.  [default: {default.spec.net_snmp_name}]"


@dataclass(frozen=True, slots=True)
class UserOptions:
    """The v3 options, as given."""

    name: str | None
    level: str | None
    auth_protocol: str | None
    auth_passphrase: str | None
    priv_protocol: str | None
    priv_passphrase: str | None
    context: str

    def used_options(self) -> list[str]:
        """The given options that only v3 has."""
        options = {
            "-u": self.name,
            "-l": self.level,
            "-a": self.auth_protocol,
            "-A": self.auth_passphrase,
            "-x": self.priv_protocol,
            "-X": self.priv_passphrase,
            "-n": self.context,
        }
        return [option for option, value in options.items() if value]


_NO_USER_OPTIONS = UserOptions(None, None, None, None, None, None, "")


def credentials_of(version: str | None, community: str | None, user: UserOptions) -> Credentials:
    """The credentials that the options describe. Raises click.UsageError when they conflict."""
    for value in (community, user.name, user.auth_passphrase, user.priv_passphrase, user.context):
        if value and any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise click.UsageError("an option is not valid UTF-8")
    if version is None and community is None and not user.used_options():
        return DEFAULT_CREDENTIALS
    chosen = VERSIONS[version] if version else Version.V3 if user.used_options() else Version.V2C
    if chosen is not Version.V3:
        if options := user.used_options():
            raise click.UsageError(f"{options[0]} is for v3: use -v 3, or leave it out")
        return Community(chosen, "public" if community is None else community)
    if community is not None:
        raise click.UsageError("-c is for v1 and v2c; v3 takes a user: -u NAME")
    if not user.name:
        raise click.UsageError("v3 needs a user: -u NAME")
    return _user(user, user.name)


def _user(user: UserOptions, name: str) -> User:
    level = _level(user)
    if len(name.encode()) > 32:  # RFC 3414 section 5, usmUserName
        raise click.UsageError("the user name is longer than 32 octets")
    auth = priv = ""
    if level >= SecurityLevel.AUTH_NO_PRIV:
        auth = _passphrase("-A", "auth passphrase", user.auth_passphrase, AUTH_PASSPHRASE)
    if level == SecurityLevel.AUTH_PRIV:
        priv = _passphrase("-X", "priv passphrase", user.priv_passphrase, PRIV_PASSPHRASE)
    return User(
        name,
        level,
        _protocol("-a", user.auth_protocol or "SHA", AuthProtocol.names()),
        auth,
        _protocol("-x", user.priv_protocol or "AES", PrivProtocol.names()),
        priv,
        context_name=user.context,
    )


def _level(user: UserOptions) -> SecurityLevel:
    """The level of ``-l``, or the one that the other options and the passphrases in the environment imply."""
    if user.level:
        return LEVELS[user.level.lower()]
    if user.priv_protocol or user.priv_passphrase or os.environ.get(PRIV_PASSPHRASE):
        return SecurityLevel.AUTH_PRIV
    if user.auth_protocol or user.auth_passphrase or os.environ.get(AUTH_PASSPHRASE):
        return SecurityLevel.AUTH_NO_PRIV
    return SecurityLevel.NO_AUTH_NO_PRIV


def _protocol(option: str, text: str, known: Mapping[str, _P]) -> _P:
    """The protocol with this name, in our spelling or another common one. Raises click.UsageError."""
    protocol = known.get(text.upper().replace("-", "").replace("_", ""))
    if protocol is None:
        names = ", ".join(dict.fromkeys(known.values()))
        raise click.UsageError(f"{option} {text!r}: unknown protocol; use one of: {names}")
    return protocol


def _passphrase(option: str, what: str, option_value: str | None, variable: str) -> str:
    """The passphrase, from the option, the environment or a prompt. Raises click.UsageError when it is missing or too
    short."""
    passphrase = option_value or os.environ.get(variable, "")
    if not passphrase:
        if not sys.stdin.isatty():
            raise click.UsageError(f"no {what}; set {variable} or use {option}")
        passphrase = click.prompt(what.capitalize(), hide_input=True, err=True)
    if len(passphrase.encode()) < MIN_PASSPHRASE:
        raise click.UsageError(f"the {what} is shorter than {MIN_PASSPHRASE} characters (RFC 3414)")
    return passphrase


auth_option = click.option(
    "--auth", metavar="NAME", help="Name of an auth in --config.file, instead of the options above."
)
"""``--auth``, for commands that take files with auths."""


def credential_options(command: Callable[..., int]) -> Callable[..., int]:
    """Adds the credential options to a command, which gets ``credentials`` instead of them."""

    @functools.wraps(command)
    def with_credentials(*, version: str | None, community: str | None, **options: Any) -> int:
        user = UserOptions(**{name: options.pop(name) for name in UserOptions.__dataclass_fields__})
        return command(credentials=credentials_of(version, community, user), **options)

    for option in reversed(_OPTIONS):
        with_credentials = option(with_credentials)
    return with_credentials


def credential_list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """As ``credential_options``, for commands that try several: they get ``credentials_list``, in the order of trying.

    The user comes first, then the communities in the order given, then those of the files."""

    @functools.wraps(command)
    def with_credentials_list(
        *, version: str | None, communities: tuple[str, ...], files: tuple[Path, ...], **options: Any
    ) -> Any:
        user = UserOptions(**{name: options.pop(name) for name in UserOptions.__dataclass_fields__})
        collected: list[Credentials] = []
        if user.used_options() or version == "3":
            if version == "3" and communities:
                raise click.UsageError("-c is for v1 and v2c; leave out -v 3 (-u implies it)")
            collected.append(credentials_of("3", None, user))
        if communities or not (collected or files):
            collected += [credentials_of(version, one, _NO_USER_OPTIONS) for one in communities or ("public",)]
        for file in files:
            collected += read_credentials_file(file)
        return command(credentials_list=list(dict.fromkeys(collected)), **options)

    for option in reversed(_LIST_OPTIONS):
        with_credentials_list = option(with_credentials_list)
    return with_credentials_list


def read_credentials_file(file: Path) -> list[Credentials]:
    """The credentials in a file: a YAML or JSON list with the keys of the API. Raises click.UsageError."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--credentials {file}: {getattr(error, 'strerror', None) or 'is not text'}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise click.UsageError(f"--credentials {file}: not valid YAML or JSON{where}") from None
    problems: list[str] = []
    found = []
    for number, item in enumerate(content if isinstance(content, list) else [content]):
        fields = Fields(item, f"[{number}]", problems)
        unknown = sorted(map(str, fields.values.keys() - CREDENTIAL_KEYS))
        problems += [f"[{number}].{key}: unknown key" for key in unknown]
        if fields.values:
            found.append(read_credentials(fields, "agentType", None, lenient=True))
    if problems or not found:
        reason = "; ".join(problems) or "the file contains no credentials"
        raise click.UsageError(f"--credentials {file}: {reason}")
    return [one for one in found if one is not None]


_OPTIONS = (
    click.option(
        "-v",
        "--snmp-version",
        "version",
        type=click.Choice(list(VERSIONS)),
        help="SNMP version.  [default: 2c; 3 with -u]",
    ),
    click.option("-c", "--community", help="v1 or v2c community.  [default: public]"),
    click.option("-u", "--user", "name", metavar="NAME", help="v3 user."),
    click.option(
        "-l",
        "--level",
        type=click.Choice(list(LEVEL_NAMES.values()), case_sensitive=False),
        help="v3 security level.  [default: implied by the protocols and passphrases given]",
    ),
    click.option("-a", "--auth-protocol", metavar="PROTOCOL", help=_protocol_help(AuthProtocol, AuthProtocol.SHA)),
    click.option("-A", "--auth-passphrase", metavar="PASS", help=f"Safer in {AUTH_PASSPHRASE} or at the prompt."),
    click.option("-x", "--priv-protocol", metavar="PROTOCOL", help=_protocol_help(PrivProtocol, PrivProtocol.AES)),
    click.option("-X", "--priv-passphrase", metavar="PASS", help=f"Safer in {PRIV_PASSPHRASE} or at the prompt."),
    click.option("-n", "--context", default="", metavar="NAME", help="v3 context name."),
)

_COMMUNITIES = click.option(
    "-c",
    "--community",
    "communities",
    multiple=True,
    help="v1 or v2c community; repeatable.  [default: public, without other credentials]",
)
_FILES = click.option(
    "--credentials",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="More credentials in a file: YAML or JSON, a list with keys such as readCommunity or securityName.",
)
_LIST_OPTIONS = (_OPTIONS[0], _COMMUNITIES, *_OPTIONS[2:], _FILES)
