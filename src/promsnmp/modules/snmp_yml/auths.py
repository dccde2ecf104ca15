"""The ``auths`` of a file in the form of snmp.yml: how a device wants to be asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import yaml

from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version
from promsnmp.support import yaml_nodes, yaml_scalars
from promsnmp.support.yaml_nodes import Problem, Teller, Told, raise_problem

_VERSIONS = {1: Version.V1, 2: Version.V2C, 3: Version.V3}
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


def read_auth(
    name: str, node: yaml.Node, environment: Mapping[str, str] | None = None, *, tell: Teller = raise_problem
) -> Credentials:
    """The credentials at a node; what its version and security level do not use is not looked at. Raises Problem.

    ``$X`` and ``${X}`` in ``username``, ``password`` and ``priv_password`` are replaced from ``environment`` (``$$`` is
    a dollar), and left as they are when there is none.
    """
    return _Auth(name, node, environment, tell).credentials()


class _Auth:
    """One auth on its way into credentials."""

    def __init__(self, name: str, node: yaml.Node, environment: Mapping[str, str] | None, tell: Teller) -> None:
        self._what = f"auth {yaml_nodes.shown(name)}"
        self._node = node
        self._environment = environment
        self._teller = tell
        self._is_told = False
        self._found = dict(yaml_nodes.pairs(node, self._what, _KEYS, secret=True, tell=self._tell))

    def credentials(self) -> Credentials:
        version = self._version()
        if version is not Version.V3:
            community = self._text("community", "public")
            self._end()
            return Community(version, community)
        level = _LEVELS[self._word("security_level", _LEVELS, "noAuthNoPriv")]
        name, *passphrases = (
            self._needed(key, level >= least)
            for least, key in enumerate(("username", "password", "priv_password"), SecurityLevel.NO_AUTH_NO_PRIV)
        )
        auth_protocol = self._word("auth_protocol", _AUTH_PROTOCOLS, "MD5", is_used=level >= SecurityLevel.AUTH_NO_PRIV)
        priv_protocol = self._word("priv_protocol", _PRIV_PROTOCOLS, "DES", is_used=level is SecurityLevel.AUTH_PRIV)
        context = self._text("context_name", "")
        self._end()
        return User(
            name=name,
            level=level,
            auth_protocol=AuthProtocol(auth_protocol),
            auth_passphrase=passphrases[0],
            priv_protocol=PrivProtocol(priv_protocol),
            priv_passphrase=passphrases[1],
            context_name=context,
        )

    def _tell(self, problem: Problem) -> None:
        self._is_told = True
        self._teller(problem)

    def _end(self) -> None:
        """Raises Told when something was wrong."""
        if self._is_told:
            raise Told(self._node)

    def _text(self, key: str, default: str) -> str:
        node = self._found.get(key)
        try:
            return default if node is None else yaml_nodes.text(node, f"{key!r} of {self._what}")
        except Problem as problem:
            self._tell(problem)
            return default

    def _version(self) -> Version:
        node = self._found.get("version")
        written = self._text("version", "2")
        number = yaml_scalars.numeral(written) if node is None or yaml_scalars.is_plain(node) else None
        if number is None or int(number) not in _VERSIONS:  # what stands there may be a secret in the wrong place
            self._tell(Problem(node or self._node, f"'version' of {self._what} is none of 1, 2, 3"))
            return Version.V2C
        return _VERSIONS[int(number)]

    def _word(self, key: str, allowed: Collection[str], default: str, *, is_used: bool = True) -> str:
        word = self._text(key, default) if is_used else default
        if word not in allowed:  # it may be a secret, too
            node = self._found.get(key, self._node)
            self._tell(Problem(node, f"{key!r} of {self._what} is none of {', '.join(sorted(allowed))}"))
            return default
        return word

    def _needed(self, key: str, is_used: bool) -> str:
        """A name or passphrase, which must be there where the security level uses it."""
        written = self._text(key, "")
        if not is_used:
            return written
        if not written:
            message = f"{self._what} has no {key!r}, which version 3 at this security level needs"
            self._tell(Problem(self._node, message))
        elif self._environment is not None:
            return self._replaced(written, self._environment, key)
        return written

    def _replaced(self, written: str, environment: Mapping[str, str], key: str) -> str:
        missing: list[str] = []

        def value(variable: re.Match[str]) -> str:
            dollar, braced, plain = variable.groups()
            name = braced or plain
            if not dollar and not environment.get(name):
                missing.append(name)
            return dollar or environment.get(name, "")

        replaced = _VARIABLE.sub(value, written)
        if missing:
            reason = f"there is no environment variable {missing[0]} (for a dollar in it, write $$)"
            self._tell(Problem(self._found[key], f"{key!r} of {self._what}: {reason}"))
        return replaced
