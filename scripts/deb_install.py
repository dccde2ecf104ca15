"""Installs the Debian package in a bare Debian without network, starts PromSNMP there and asks it: ``make deb-test``.

    python -m scripts.deb_install dist/promsnmp_*.deb     as root

mmdebstrap makes the root with python3 and curl; dpkg installs the package in a network namespace without interfaces, so
that whatever it would fetch fails. It takes two minutes, so it is no part of ``make test``, which tests the contents.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

INSIDE = """\
set -eu
ip link set lo up 2>/dev/null || true
dpkg --install /promsnmp.deb
test "$(stat -c %a /etc/promsnmp/promsnmp.yml)" = 600
promsnmp --version
promsnmp config check
promsnmp serve --address 127.0.0.1 --port 8080 &
service=$!
for _ in $(seq 60); do
    promsnmp health readiness --url http://127.0.0.1:8080 2>/dev/null && break
    sleep 1
done
curl --fail --silent --show-error http://127.0.0.1:8080/targets
test -s /var/lib/promsnmp/inventory.json.key
kill "$service"
wait "$service"
dpkg --purge promsnmp
test ! -e /usr/bin/promsnmp
test ! -e /etc/promsnmp/promsnmp.yml
test -s /var/lib/promsnmp/inventory.json.key
"""


def main(words: list[str]) -> int:
    if len(words) != 1 or not Path(words[0]).is_file():
        print("usage: python -m scripts.deb_install PACKAGE.deb (make deb builds it)", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("deb-test makes a Debian root and needs root for it: sudo make deb-test", file=sys.stderr)
        return 1
    suite = _suite()
    with tempfile.TemporaryDirectory(prefix="promsnmp-deb-test-") as folder:
        root = Path(folder) / "root"
        packages = "python3,curl,iproute2,libstdc++6,zlib1g"
        made = ["mmdebstrap", "--variant=apt", "--quiet", f"--include={packages}", suite, str(root)]
        subprocess.run(made, check=True)
        (root / "promsnmp.deb").write_bytes(Path(words[0]).read_bytes())
        inside = [
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--root",
            str(root),
            "--mount-proc",
            "sh",
            "-c",
            INSIDE,
        ]
        return subprocess.run(
            inside, check=False, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        ).returncode


def _suite() -> str:
    """The suite of this Debian: the package is for its Python."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line
    )
    return release.get("VERSION_CODENAME", "bookworm").strip('"')


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
