"""Translates Go's names of TLS versions, cipher suites and curves, which web configuration files use, into OpenSSL's.

exporter-toolkit takes the suites that Go's crypto/tls lists as secure (``CipherSuites``). The names of RFC 8446
appendix B.4 need no translation and no setting: there is no reason to disable a suite of TLS 1.3.
"""

from __future__ import annotations

import platform
import ssl
from collections.abc import Sequence

VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}

CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}
CHOOSES_SEVERAL = hasattr(ssl.SSLContext, "set_groups")
"""From Python 3.15 on. Before, a context has OpenSSL's own curves, or one."""

TLS13_SUITES = frozenset({"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"})

SUITES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
}
"""Suites up to TLS 1.2."""


def can_be_set(curve: str) -> bool:
    """Whether this Python and its OpenSSL can use ``curve``, one of CURVES.

    X25519 is no curve to Debian 12's Python (3.11.2), nor to an OpenSSL in FIPS mode.
    """
    try:
        set_curves(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), (curve,))
    except (ssl.SSLError, ValueError):
        return False
    return True


def set_curves(context: ssl.SSLContext, names: Sequence[str]) -> None:
    """Keeps ``context`` to ``names``: one, or several where that can be done. Raises ssl.SSLError and ValueError."""
    setter = "set_groups" if CHOOSES_SEVERAL else "set_ecdh_curve"
    getattr(context, setter)(":".join(CURVES[name] for name in names))


def usable_curves(names: Sequence[str]) -> tuple[str, ...]:
    """Those of ``names`` that can be used together here: all that can be set, or the first of them before Python 3.15.

    Empty when none can be used. All of CURVES are usable, set or not: they are OpenSSL's default.
    """
    if set(names) == set(CURVES) and not CHOOSES_SEVERAL:
        return tuple(names)
    found = tuple(name for name in dict.fromkeys(names) if can_be_set(name))
    return found if CHOOSES_SEVERAL else found[:1]


def unusable(names: Sequence[str]) -> str:
    """What to say where none of ``names`` can be used."""
    others = [name for name in CURVES if can_be_set(name)]
    return f"{' and '.join(dict.fromkeys(names))} cannot be set; use one of {', '.join(others)} ({limits()})"


def limits() -> str:
    """What decides which curves can be set."""
    several = "several curves" if CHOOSES_SEVERAL else "one curve or all"
    return f"Python {platform.python_version()} with {ssl.OPENSSL_VERSION} can set {several}"
