"""``promsnmp web-password``: hashes a password for the users of a web configuration file.

It needs no tools of a web server, and takes no password as an argument, where the list of processes and the shell's
history would show it.
"""

from __future__ import annotations

import sys

import click

from promsnmp.http.security.passwords import MAX_PASSWORD_BYTES, hash_password


@click.command("web-password")
@click.argument("name", required=False)
def web_password(name: str | None) -> None:
    """Hash a password with bcrypt, for basic_auth_users of --web.config.file.

    The password comes from a prompt or from the standard input. With NAME the command prints a whole line for the file.

    \b
    Examples:
      promsnmp web-password
      promsnmp web-password alice >> web.yml
      pass show promsnmp | promsnmp web-password prometheus
    """
    if name is not None and (not name or ":" in name):
        raise click.UsageError("NAME must not be empty or contain a colon (RFC 7617)")
    password = _password()
    if not password:
        raise click.UsageError("the password is empty")
    if len(password.encode("utf-8", "surrogateescape")) > MAX_PASSWORD_BYTES:
        raise click.UsageError(
            f"the password is longer than {MAX_PASSWORD_BYTES} bytes, and bcrypt would ignore the rest"
        )
    stored = hash_password(password)
    click.echo(stored if name is None else f"  {_quoted(name)}: {stored}")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _quoted(name: str) -> str:
    """A name as a key of YAML: quoted unless YAML reads it as that text."""
    is_plain = name.isidentifier() and name.isascii() and name.lower() not in _YAML_WORDS
    return name if is_plain else "'" + name.replace("'", "''") + "'"


_YAML_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Words that YAML 1.1 reads as something else than text."""
