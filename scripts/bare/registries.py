"""How the package registries are reached from here, given to a root of ``make bare``: the one thing it has of the host.

Names of servers (resolv.conf), apt's ``Acquire`` settings, the configuration of pip and uv, proxies, and certificate
authorities. The authorities become the root's own, as an administrator adds a company's: the variables that name
certificates on the host are not passed on, so everything in the root has to make do with the system's.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

AUTHORITIES = Path("usr/local/share/ca-certificates")
"""Where ``update-ca-certificates`` finds those of the administrator."""
_SYSTEM = Path("etc/ssl/certs/ca-certificates.crt")
_NAMED = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_BUNDLES = (f"/{_SYSTEM}", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_ACQUIRE = re.compile(
    r"^Acquire::(?!IndexTargets|Languages|cdrom|.*::(?:CaInfo|SslCert|SslKey)).* \".+\";$", re.MULTILINE
)
_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/uv/uv.toml")
_PIP = ("/etc/xdg/pip/pip.conf", "/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
"""Later ones win (pip, "Configuration")."""
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
_VARIABLES = re.compile(
    r"(?i:https?_proxy|ftp_proxy|all_proxy|no_proxy)"
    r"|PIP_(?:INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT|RETRIES)"
    r"|UV_(?:DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INSECURE_HOST|HTTP_TIMEOUT|HTTP_RETRIES)"
)


def variables() -> dict[str, str]:
    """Those of this environment that say how to reach the registries."""
    return {name: value for name, value in os.environ.items() if _VARIABLES.fullmatch(name)}


def apt_settings() -> str:
    """Lines of an apt.conf; none where there is no apt."""
    if not shutil.which("apt-config"):
        return ""
    told = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(f"{line}\n" for line in _ACQUIRE.findall(told))


def configure(root: Path) -> None:
    """Writes files into an unpacked root; ``update-ca-certificates`` has to run in it afterwards."""
    for name in _FILES:
        if Path(name).is_file():
            target = root / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # it may be a link
            target.write_text(Path(name).read_text())
    (root / "etc" / "pip.conf").write_text(_pip_settings())
    (root / "etc" / "apt" / "apt.conf.d" / "99registries").write_text(apt_settings())
    _trust(root)


def _pip_settings() -> str:
    """pip's configuration as far as it is about registries: no folders, no certificates, no versions of packages."""
    found = {name: value for parser in _pip() for name, value in parser.items("global") if name in _PIP_SETTINGS}
    kept = {name: [word for word in value.split() if not word.startswith("file:")] for name, value in found.items()}
    return "\n".join(("[global]", *(f"{name} = {' '.join(words)}" for name, words in kept.items() if words), ""))


def _pip() -> Iterator[configparser.RawConfigParser]:
    """The files of pip's configuration."""
    for name in _PIP:
        parser = configparser.RawConfigParser()
        parser.read_dict({"global": {}})
        parser.read(Path(name).expanduser())
        yield parser


def _trust(root: Path) -> None:
    known = set(_PEM.findall((root / _SYSTEM).read_text()))
    folder = root / AUTHORITIES
    folder.mkdir(parents=True, exist_ok=True)
    for number, found in enumerate(sorted(set(_authorities()) - known)):
        (folder / f"registries-{number}.crt").write_text(f"{found}\n")


def _authorities() -> Iterator[str]:
    """Those that this machine trusts, as PEM."""
    default = ssl.get_default_verify_paths().cafile
    named = [os.environ.get(name) for name in _NAMED]
    by_pip = [parser.get("global", "cert", fallback="") for parser in _pip()]
    for name in sorted({name for name in (*named, *by_pip, *_BUNDLES, default) if name and Path(name).is_file()}):
        yield from _PEM.findall(Path(name).read_text(errors="replace"))
