"""``promsnmp web-password``: the hash of a password for the users of a web configuration.

So that nobody needs a web server's tools for it, or gives a password as an argument, where the list of processes and
the shell's history would have it.
"""

from __future__ import annotations

import sys

import click

from promsnmp.http.security.passwords import MAX_PASSWORD_BYTES, hash_password


@click.command("web-password")
@click.argument("name", required=False)
def web_password(name: str | None) -> None:
    """Make the bcrypt hash of a password, for basic_auth_users of --web.config.file.

    The password is asked for, or read from the standard input. With NAME a whole line for the file is printed.

    \b
    Examples:
      promsnmp web-password
      promsnmp web-password alice >> web.yml
      pass show promsnmp | promsnmp web-password prometheus
    """
    if name is not None and (not name or ":" in name):
        raise click.UsageError("a user's name must not be empty and has no colon in it (RFC 7617)")
    password = _password()
    if not password:
        raise click.UsageError("the password is empty")
    if len(password.encode("utf-8", "surrogateescape")) > MAX_PASSWORD_BYTES:
        raise click.UsageError(
            f"the password is longer than {MAX_PASSWORD_BYTES} bytes, and bcrypt looks at no more of it"
        )
    stored = hash_password(password)
    click.echo(stored if name is None else f"  {_quoted(name)}: {stored}")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _quoted(name: str) -> str:
    """A name as a key of YAML: as it is where nobody can take it for something else."""
    return name if name.isidentifier() and name.isascii() else "'" + name.replace("'", "''") + "'"
