"""The form of the discovery page as the JSON document that the API takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from promsnmp.discovery.scan.target_syntax import split_targets
from promsnmp.errors import InventoryInvalid
from promsnmp.http.responses.forms import Form, first
from promsnmp.inventory.document.seeds import MAX_CREDENTIALS, credentials_document
from promsnmp.inventory.model import NamedCredentials, Seed
from promsnmp.snmp.credentials import Credentials

_LEVELS = {(False, False): 1, (True, False): 2, (True, True): 3}
"""SecurityLevel by whether there are passphrases for authentication and for privacy (RFC 3411 section 3.4.3)."""
SAVED = "seed:"
"""How the value of a field begins that means the credentials of a saved seed."""
NAMED = "credentials:"
"""How one begins that means named credentials of the inventory; others are auths of the loaded modules."""
Lookup = Callable[[str], NamedCredentials | None]


def search_document(
    form: Form, auth: Callable[[str], Credentials], seed: Callable[[str], Seed | None], named: Lookup
) -> dict[str, object]:
    """The document of a search; ``auth`` finds an auth of the modules by name (raises ModuleError), ``seed`` a saved
    seed, ``named`` credentials of the inventory. Raises InventoryInvalid for credentials that are not there.

    Whatever is wrong with it, ``discovery.request.read_request`` says.
    """
    document: dict[str, object] = {
        "potentialTargets": split_targets(first(form, "targets")),
        "exclude": split_targets(first(form, "exclude")),
        "force": bool(first(form, "force")),
    }
    if port := first(form, "port").strip():
        document["port"] = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else port[:20]
    if neighbours := split_targets(first(form, "neighbours")):
        document["neighbours"] = neighbours
    chosen = [*_chosen(_names(form), auth, seed, named), *_entered(form)]
    if chosen:
        document |= chosen[0]
        document["credentials"] = chosen[1:]
    return document


def _names(form: Form) -> list[str]:
    """What was chosen, and the name that was typed in where there are too many to choose from."""
    typed = first(form, "credentials_name").strip()
    return [*form.get("auth", ()), *([NAMED + typed] if typed else [])][:MAX_CREDENTIALS]


def _chosen(
    names: Sequence[str], auth: Callable[[str], Credentials], seed: Callable[[str], Seed | None], named: Lookup
) -> list[dict[str, object]]:
    found: list[Credentials] = []
    for name in names:
        if name.startswith(SAVED):
            known = seed(name.removeprefix(SAVED))
            found += known.credentials if known is not None else ()
        elif name.startswith(NAMED):
            wanted = name.removeprefix(NAMED)
            if (entry := named(wanted)) is None:
                raise InventoryInvalid([f"there are no credentials {wanted[:64]!r}"])
            found.append(entry.credentials)
        elif name:
            found.append(auth(name))
    return [credentials_document(one, mask=False) for one in dict.fromkeys(found)]


def _entered(form: Form) -> list[dict[str, object]]:
    """The credentials that were typed in; none when there is neither a community nor a user."""
    entered: list[dict[str, object]] = []
    if community := first(form, "community"):
        version = first(form, "version")
        entered.append(
            {
                "version": version if version in ("v1", "v2c") else "v2c",
                "agentType": "snmp-community",
                "readCommunity": community,
            }
        )
    if user := first(form, "user").strip():
        auth, priv = first(form, "authPassphrase"), first(form, "privPassphrase")
        document: dict[str, object] = {
            "version": "v3",
            "agentType": "snmp-user",
            "securityName": user,
            "securityLevel": _LEVELS.get((bool(auth), bool(priv)), 3),
        }
        if auth or priv:
            document |= {"authProtocol": first(form, "authProtocol"), "authPassphrase": auth}
        if priv:
            document |= {"privProtocol": first(form, "privProtocol"), "privPassphrase": priv}
        entered.append(document)
    return entered
