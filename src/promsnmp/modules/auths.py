"""The ``auths`` of a file in the form of snmp.yml: how a device wants to be asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import yaml

from promsnmp.modules import nodes
from promsnmp.modules.nodes import Problem
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version

_LEVELS = {
    "noAuthNoPriv": SecurityLevel.NO_AUTH_NO_PRIV,
    "authNoPriv": SecurityLevel.AUTH_NO_PRIV,
    "authPriv": SecurityLevel.AUTH_PRIV,
}
_AUTH_PROTOCOLS = frozenset(one.value for one in AuthProtocol)
_PRIV_PROTOCOLS = frozenset(one.value for one in PrivProtocol)
_KEYS = frozenset(
    {
        *("version", "community", "context_name", "username", "security_level"),
        *("auth_protocol", "password", "priv_protocol", "priv_password"),
    }
)


_VARIABLE = re.compile(r"\$(?:(\$)|\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)


def read_auth(name: str, node: yaml.Node, environment: Mapping[str, str] | None = None) -> Credentials:
    """The credentials at a node; what only v3 uses is not looked at for v1 and v2. Raises Problem.

    ``$X`` and ``${X}`` in ``username``, ``password`` and ``priv_password`` are replaced from ``environment`` (``$$`` is
    a dollar), and left as they are when there is none.
    """
    what = f"auth {nodes.shown(name)}"
    found = dict(nodes.pairs(node, what, _KEYS, secret=True))
    texts = {key: nodes.text(value, f"{key!r} of {what}") for key, value in found.items()}

    def word(key: str, allowed: Collection[str], default: str) -> str:
        if texts.get(key, default) not in allowed:  # what stands there may be a secret in the wrong place
            raise Problem(found[key], f"{key!r} of {what} is none of {', '.join(sorted(allowed))}")
        return texts.get(key, default)

    version = word("version", ("1", "2", "3"), "2")
    if version != "3":
        return Community(Version.V1 if version == "1" else Version.V2C, texts.get("community", "public"))
    level = _LEVELS[word("security_level", _LEVELS, "noAuthNoPriv")]
    needed = ("username", "password", "priv_password")[: int(level)]
    for key in needed:
        if not texts.get(key):
            raise Problem(node, f"{what} has no {key!r}, which version 3 at this security level needs")
    if environment is not None:
        for key in needed:
            texts[key] = _replaced(texts[key], environment, found[key], f"{key!r} of {what}")
    return User(
        name=texts["username"],
        level=level,
        auth_protocol=AuthProtocol(word("auth_protocol", _AUTH_PROTOCOLS, "MD5")),
        auth_passphrase=texts.get("password", ""),
        priv_protocol=PrivProtocol(word("priv_protocol", _PRIV_PROTOCOLS, "DES")),
        priv_passphrase=texts.get("priv_password", ""),
        context_name=texts.get("context_name", ""),
    )


def _replaced(text: str, environment: Mapping[str, str], node: yaml.Node, what: str) -> str:
    def value(variable: re.Match[str]) -> str:
        dollar, braced, plain = variable.groups()
        name = braced or plain
        if not dollar and not environment.get(name):
            raise Problem(node, f"{what}: there is no environment variable {name} (for a dollar in it, write $$)")
        return dollar or environment[name]

    return _VARIABLE.sub(value, text)
