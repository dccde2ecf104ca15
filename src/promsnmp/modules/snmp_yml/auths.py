"""Reads the ``auths`` of snmp.yml: the credentials for devices."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import yaml

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
from promsnmp.support import yaml_nodes, yaml_scalars
from promsnmp.support.yaml_nodes import (
    ErrorHandler,
    NodeError,
    ReportedError,
    UnknownKeyError,
    UnknownKeyHandler,
    raise_error,
)

_VERSIONS = {1: Version.V1, 2: Version.V2C, 3: Version.V3}
_LEVELS = {name: level for level, name in LEVEL_NAMES.items()}
_AUTH_PROTOCOLS = frozenset(one.value for one in AuthProtocol)
_PRIV_PROTOCOLS = frozenset(one.value for one in PrivProtocol)
_KEYS = frozenset(
    {
        *("version", "community", "context_name", "username", "security_level"),
        *("auth_protocol", "password", "priv_protocol", "priv_password"),
    }
)
_VARIABLE = re.compile(r"\$(?:(\$)|\{([^{}]*)\}|(\{)|([*#@!?\d-])|([A-Za-z_]\w*))", re.ASCII)
"""As in Go's os.Expand, where one digit, and each of ``*#@!?-``, is a name, too."""


def read_auth(
    name: str,
    node: yaml.Node,
    environment: Mapping[str, str] | None = None,
    *,
    on_error: ErrorHandler = raise_error,
    on_unknown_key: UnknownKeyHandler | None = None,
) -> Credentials:
    """The credentials at a node; fields that its version and security level do not use are ignored. Raises NodeError.

    ``$X`` and ``${X}`` in ``username``, ``password`` and ``priv_password`` are replaced from ``environment`` (``$$`` is
    a dollar); without an environment they stay as they are. Unknown keys go to ``on_unknown_key``, if it is given.
    """
    return _AuthReader(name, node, environment, on_error, on_unknown_key).credentials()


class _AuthReader:
    """Reads one auth into credentials."""

    def __init__(
        self,
        name: str,
        node: yaml.Node,
        environment: Mapping[str, str] | None,
        on_error: ErrorHandler,
        on_unknown_key: UnknownKeyHandler | None,
    ) -> None:
        self._what = f"auth {yaml_nodes.quoted(name)}"
        self._node = node
        self._environment = environment
        self._on_error = on_error
        self._on_unknown_key = on_unknown_key
        self._has_errors = False
        self._nodes = dict(yaml_nodes.pairs(node, self._what, _KEYS, secret=True, on_error=self._report))

    def credentials(self) -> Credentials:
        version = self._version()
        if version is not Version.V3:
            community = self._text("community", "public")
            self._raise_if_errors()
            return Community(version, community)
        level = _LEVELS[self._choice("security_level", _LEVELS, "noAuthNoPriv")]
        name, *passphrases = (
            self._required(key, level >= least)
            for least, key in enumerate(("username", "password", "priv_password"), SecurityLevel.NO_AUTH_NO_PRIV)
        )
        auth_protocol = self._choice(
            "auth_protocol", _AUTH_PROTOCOLS, "MD5", is_used=level >= SecurityLevel.AUTH_NO_PRIV
        )
        priv_protocol = self._choice("priv_protocol", _PRIV_PROTOCOLS, "DES", is_used=level is SecurityLevel.AUTH_PRIV)
        context = self._text("context_name", "")
        self._raise_if_errors()
        return User(
            name=name,
            level=level,
            auth_protocol=AuthProtocol(auth_protocol),
            auth_passphrase=passphrases[0],
            priv_protocol=PrivProtocol(priv_protocol),
            priv_passphrase=passphrases[1],
            context_name=context,
        )

    def _report(self, error: NodeError) -> None:
        if self._on_unknown_key is not None and isinstance(error, UnknownKeyError):
            self._on_unknown_key(error)
            return
        self._has_errors = True
        self._on_error(error)

    def _raise_if_errors(self) -> None:
        """Raises ReportedError after any error."""
        if self._has_errors:
            raise ReportedError(self._node)

    def _text(self, key: str, default: str) -> str:
        node = self._nodes.get(key)
        try:
            return default if node is None else yaml_nodes.text(node, f"{key!r} of {self._what}")
        except NodeError as error:
            self._report(error)
            return default

    def _version(self) -> Version:
        node = self._nodes.get("version")
        text = self._text("version", "2")
        number = yaml_scalars.numeral(text) if node is None or yaml_scalars.is_plain(node) else None
        if number is None or int(number) not in _VERSIONS:  # the value may be a secret in the wrong place
            self._report(NodeError(node or self._node, f"'version' of {self._what} must be 1, 2 or 3"))
            return Version.V2C
        return _VERSIONS[int(number)]

    def _choice(self, key: str, allowed: Collection[str], default: str, *, is_used: bool = True) -> str:
        value_text = self._text(key, default) if is_used else default
        if value_text not in allowed:  # it may be a secret, too
            node = self._nodes.get(key, self._node)
            self._report(NodeError(node, f"{key!r} of {self._what} must be one of {', '.join(sorted(allowed))}"))
            return default
        return value_text

    def _required(self, key: str, is_used: bool) -> str:
        """A name or passphrase, required where the security level uses it."""
        text = self._text(key, "")
        if not is_used:
            return text
        if not text:
            message = f"{self._what} has no {key!r}, which version 3 at this security level needs"
            self._report(NodeError(self._node, message))
        elif self._environment is not None:
            return self._with_variables(text, self._environment, key)
        return text

    def _with_variables(self, text: str, environment: Mapping[str, str], key: str) -> str:
        wrong: list[str] = []

        def value(variable: re.Match[str]) -> str:
            dollar, braced, open_brace, *plain = variable.groups()
            name = next(filter(None, (braced, *plain)), "")
            if not dollar and (open_brace or not name):
                wrong.append("a name in braces must follow '${'")
            elif not dollar and name not in environment:
                wrong.append(f"environment variable {name} is not set")
            return dollar or environment.get(name, "")

        expanded = _VARIABLE.sub(value, text)
        if wrong:
            reason = f"{wrong[0]} (write $$ for a dollar)"
            self._report(NodeError(self._nodes[key], f"{key!r} of {self._what}: {reason}"))
        return expanded
