"""An inventory document of one device with two agents; its secrets must never be shown."""

from __future__ import annotations

SECRETS = ("geheime-gemeinschaft", "geheimes-wort-1", "geheimes-wort-2")


def inventory_document(name: str = "router") -> dict[str, object]:
    community = {
        "type": "snmp-community",
        "endpoint": {"address": "192.0.2.1", "port": 161},
        "version": 1,
        "timeout": 1500,
        "retries": 1,
        "readCommunity": SECRETS[0],
    }
    user = {
        "type": "snmp-user",
        "endpoint": {"address": "2001:db8::1", "port": 1161},
        "version": 3,
        "securityName": "reader",
        "securityLevel": 3,
        "authProtocol": "SHA256",
        "authPassphrase": SECRETS[1],
        "privProtocol": "AES256",
        "privPassphrase": SECRETS[2],
    }
    return {"devices": [{"sysName": name, "agents": [community, user], "primaryAgent": community}]}
