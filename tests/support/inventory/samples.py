"""Documents for the tests of the inventory."""

from __future__ import annotations

import copy
import os
from typing import Any

from tests.support.tools import PROJECT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
"""The environment of Python processes that import promsnmp, installed or not."""
KEY = b"0123456789ABCDEF"

COMMUNITY_AGENT: dict[str, Any] = {
    "type": "snmp-community",
    "id": "6a3c1d5e-0000-4000-8000-000000000011",
    "endpoint": {"address": "192.0.2.1", "port": 161},
    "version": 1,
    "timeout": 1500,
    "retries": 1,
    "discoveredAt": "2025-05-01T12:34:56.123456789Z",
    "readCommunity": "s3cret-read",
    "writeCommunity": "s3cret-write",
}
USER_AGENT: dict[str, Any] = {
    "type": "snmp-user",
    "id": "6a3c1d5e-0000-4000-8000-000000000021",
    "endpoint": {"address": "2001:db8::2", "port": 1161},
    "version": 3,
    "timeout": 3000,
    "retries": 2,
    "securityName": "monitor",
    "securityLevel": 3,
    "authProtocol": "SHA256",
    "authPassphrase": "s3cret-auth",
    "privProtocol": "AES256",
    "privPassphrase": "s3cret-priv",
}
SECRETS = ("s3cret-read", "s3cret-write", "s3cret-auth", "s3cret-priv", "s3cret-seed")


def document() -> dict[str, Any]:
    """Two devices and a seed, as the original PromSNMP exports them."""
    return copy.deepcopy(
        {
            "devices": [
                {
                    "id": "6a3c1d5e-0000-4000-8000-000000000001",
                    "sysName": "core1.example.net",
                    "sysDescr": "a router",
                    "sysContact": "noc",
                    "sysLocation": "rack 7",
                    "discoveredAt": "2025-05-01T12:34:56Z",
                    "agents": [COMMUNITY_AGENT],
                    "primaryAgent": COMMUNITY_AGENT,
                },
                {
                    "id": "6a3c1d5e-0000-4000-8000-000000000002",
                    "sysName": "edge2",
                    "sysDescr": "",
                    "sysContact": "",
                    "sysLocation": "",
                    "agents": [USER_AGENT],
                    "primaryAgent": USER_AGENT,
                },
            ],
            "discoverySeeds": [
                {
                    "id": "6a3c1d5e-0000-4000-8000-000000000031",
                    "potentialTargets": ["192.0.2.0/24", "host.example.net"],
                    "port": 161,
                    "version": "v2c",
                    "agentType": "snmp-community",
                    "readCommunity": "s3cret-seed",
                }
            ],
        }
    )
