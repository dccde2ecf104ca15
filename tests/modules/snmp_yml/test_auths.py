"""Credentials of snmp.yml, and that no error shows them."""

from __future__ import annotations

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.snmp_yml.read_options import ReadOptions
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version

SECRET = "hunter2"
PRIV = "version: 3, username: joe, security_level: authPriv, password: p, priv_password: q"


def auth(fields: str) -> Credentials:
    return read_text(f"auths: {{a: {{{fields}}}}}", source="f.yml").auths["a"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", Community(Version.V2C, "public")),
        ("version: 1", Community(Version.V1, "public")),
        ("version: 2, community: 1234", Community(Version.V2C, "1234")),
        ("community: x, security_level: nonsense-is-not-looked-at", None),
        ("version: 3, username: joe", User("joe")),
        ("version: 3.0, username: joe, auth_protocol: not-used, priv_protocol: not-used", User("joe")),
        (
            "version: 3, username: joe, security_level: authNoPriv, password: p, auth_protocol: SHA256",
            User("joe", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA256, "p"),
        ),
        (
            "version: 3, username: joe, security_level: authPriv, password: p, priv_password: q, context_name: c",
            User("joe", SecurityLevel.AUTH_PRIV, AuthProtocol.MD5, "p", PrivProtocol.DES, "q", "c"),
        ),
    ],
)
def test_an_auth_becomes_credentials(fields: str, expected: Credentials | None) -> None:
    assert auth(fields) == (expected or Community(Version.V2C, "x"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("version: 4", "must be 1, 2 or 3"),
        ("version: 3", "no 'username'"),
        ("version: 3, username: joe, security_level: authNoPriv", "no 'password'"),
        ("version: 3, username: joe, security_level: authPriv, password: p", "no 'priv_password'"),
        ("version: 3, username: joe, security_level: high", "must be one of authNoPriv, authPriv, noAuthNoPriv"),
        ("version: '2'", "must be 1, 2 or 3"),
        (f"{PRIV}, auth_protocol: ROT13", "must be one of MD5, SHA"),
        (f"{PRIV}, priv_protocol: XOR", "must be one of AES"),
        ("passphrase: x", "unknown key"),
        ("community: x, community: y", "repeated"),
    ],
)
def test_a_wrong_auth_is_refused_with_the_allowed_values(fields: str, reason: str) -> None:
    with pytest.raises(ModuleError, match=reason) as caught:
        auth(fields)
    assert "f.yml:1: " in str(caught.value)
    assert "'a'" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"auths: {{a: {{{SECRET}: x}}}}",
        f"auths: {{a: {{community {SECRET}}}}}",
        f"auths: {{a: {{community: *{SECRET}}}}}",
        f"auths: {{a: {{community: @{SECRET}}}}}",
        f"auths: {{a: {{community: '{SECRET}}}}}",
        f"auths: {{a: {{community: [{SECRET}]}}}}",
        f"auths: {{a: {{community: !{SECRET}!x y}}}}",
        f"auths: {{a: {{version: {SECRET}}}}}",
        f"auths: {{a: {{version: 3, username: x, security_level: {SECRET}}}}}",
        f"auths: {{a: {{{PRIV}, auth_protocol: {SECRET}}}}}",
        f"auths: {{a: {{{PRIV}, priv_protocol: {SECRET}}}}}",
        f"auths: {{a: {{version: 3, username: x, password: {{{SECRET}: {SECRET}}}}}}}",
        f"auths: {{a: {SECRET}}}",
        f"auths: {SECRET}",
        f"auths:\n  a:\n    password: {SECRET}: x\n",
        f"auths:\n  a:\n    password: {SECRET}\n   x\n",
        f"auths:\n  a:\n\tpassword: {SECRET}\n",
        f'auths: {{a: {{password: "\\{SECRET}"}}}}',
    ],
)
def test_no_error_shows_what_may_be_a_secret(text: str) -> None:
    with pytest.raises(ModuleError) as caught:
        read_text(text, source="f.yml")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_no_repr_shows_a_secret() -> None:
    for fields in (f"community: {SECRET}", f"version: 3, username: joe, password: {SECRET}, priv_password: {SECRET}"):
        assert SECRET not in repr(auth(fields))


V3 = "version: 3, username: '{}', security_level: authPriv, password: '{}', priv_password: '{}'"
ENVIRONMENT = {"WHO": "joe", "PASS_1": SECRET, "EMPTY": ""}


def expanded(*values: str) -> User:
    text = f"auths: {{a: {{{V3.format(*values)}}}}}"
    found = read_text(text, source="f.yml", options=ReadOptions(ENVIRONMENT)).auths["a"]
    assert isinstance(found, User)
    return found


def test_names_and_passphrases_come_from_the_environment() -> None:
    found = expanded("$WHO", "${PASS_1}x", "a$$b$(c$")
    assert (found.name, found.auth_passphrase, found.priv_passphrase) == ("joe", f"{SECRET}x", "a$b$(c$")


def test_an_empty_variable_counts_as_set() -> None:
    found = expanded("$WHO", "${EMPTY}x", "$EMPTY")
    assert (found.auth_passphrase, found.priv_passphrase) == ("x", "")


def test_without_an_environment_no_variable_is_replaced() -> None:
    found = auth(V3.format("$WHO", "${PASS_1}", "$$"))
    assert found == User("$WHO", SecurityLevel.AUTH_PRIV, AuthProtocol.MD5, "${PASS_1}", PrivProtocol.DES, "$$")


@pytest.mark.parametrize("text", ["9Udk$k&UmDZc5", "abc$HOME/x", "pa$$word1", "abcd$geh==1(", "cost$5each1", "end$"])
def test_a_dollar_is_taken_as_written(text: str) -> None:
    found = auth(V3.format("joe", text, text))
    assert isinstance(found, User)
    assert (found.auth_passphrase, found.priv_passphrase) == (text, text)


@pytest.mark.parametrize(
    ("text", "name"), [(f"{SECRET}$MISSING", "MISSING"), ("${MISSING}", "MISSING"), ("a$5b", "5"), ("a$!b", "!")]
)
def test_a_variable_that_is_missing_fails_the_load_with_its_name(text: str, name: str) -> None:
    reason = rf"f.yml:1: 'password' of auth 'a': environment variable {name} is not set"
    with pytest.raises(ModuleError, match=reason) as caught:
        expanded("joe", text, "p")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["${", "a${b", "${}"])
def test_a_brace_without_a_name_fails_the_load(text: str) -> None:
    with pytest.raises(ModuleError, match="a name in braces must follow"):
        expanded("joe", text, "p")


def test_unused_fields_of_an_auth_are_not_checked() -> None:
    text = "auths: {a: {community: $X, password: $X}, b: {version: 3, username: joe, password: $X}}"
    found = read_text(text, source="f.yml", options=ReadOptions({})).auths
    assert found == {"a": Community(Version.V2C, "$X"), "b": User("joe", auth_passphrase="$X")}
