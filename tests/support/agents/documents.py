"""Agents on loopback as the inventory document describes them."""

from __future__ import annotations

from tests.support.tools import SnmpdUser

AUTH_PASSPHRASE, PRIV_PASSPHRASE = "auth-passphrase-1", "priv-passphrase-1"
USER = SnmpdUser("reader", "priv", "SHA-256", AUTH_PASSPHRASE, "AES-256", PRIV_PASSPHRASE)


def community_agent(port: int) -> dict[str, object]:
    endpoint = {"address": "127.0.0.1", "port": port}
    return {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}


def user_agent(port: int) -> dict[str, object]:
    return {
        "type": "snmp-user",
        "endpoint": {"address": "127.0.0.1", "port": port},
        "version": 3,
        "securityName": USER.name,
        "securityLevel": 3,
        "authProtocol": "SHA256",
        "authPassphrase": AUTH_PASSPHRASE,
        "privProtocol": "AES256",
        "privPassphrase": PRIV_PASSPHRASE,
    }
