"""The secret that all replicas share, and by which they recognise each other: CLUSTER_KEY, else a key file.

The key file is beside the inventory file (``<inventory file>.cluster-key``), where all replicas find it. The first one
makes it, once and atomically. It has nothing to do with the key of the inventory: who can read the inventory can still
not act as a replica.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import time
from pathlib import Path

from promsnmp.errors import SettingsError
from promsnmp.support.secret_keys import exposure, make_once, weakness

log = logging.getLogger(__name__)

KEY_BYTES = 32
MAX_KEY_FILE = 4096
"""Bytes of a key file, at most."""
WRITE_TIME = 2.0
"""Seconds after which a new key file is complete."""


def cluster_key_file(inventory_file: Path) -> Path:
    """The key file beside the inventory file, or beside its target when that is a symbolic link."""
    real = Path(os.path.realpath(inventory_file))
    return real.with_name(f"{real.name}.cluster-key")


class ClusterKey:
    """The key: ``given`` (CLUSTER_KEY), else what is in ``path``; without both, a random one of this process.

    While the file can be neither read nor made, this process has a random key of its own, so that it can poll alone;
    ``problem`` says why. Raises SettingsError for a key file that must not be used.
    """

    def __init__(self, given: str = "", path: Path | None = None) -> None:
        self.problem = ""
        """Why the key file cannot be used now; empty when it can."""
        self._path = None if given else path
        self._state: tuple[bytes, dict[str, bytes]] = given.encode() or secrets.token_bytes(32), {}
        """The key, and what derives from it: one value, since a thread replaces it."""
        if self._path is not None:
            try:
                self._adopt(self._read_or_make(self._path))
            except OSError as error:
                self._note(self._described(error))

    def derive(self, purpose: str) -> bytes:
        """The key for one purpose: 32 bytes that reveal nothing of the others."""
        secret, derived = self._state
        key = derived.get(purpose)
        if key is None:
            key = derived[purpose] = hmac.digest(secret, f"promsnmp 2: {purpose}".encode(), "sha256")
        return key

    def refresh(self) -> None:
        """Reads the key file again: another process may have replaced it. Raises nothing; call it in a thread."""
        if self._path is None:
            return
        try:
            self._adopt(self._read_or_make(self._path))
        except OSError as error:
            self._note(self._described(error))
        except SettingsError as error:
            self._note(str(error))

    def _adopt(self, data: bytes) -> None:
        if data != self._state[0]:
            self._state = data, {}
        self._note("")

    def _read_or_make(self, path: Path) -> bytes:
        try:
            return self._read(path)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if make_once(path, secrets.token_hex(KEY_BYTES).encode()):
            log.info("created the key by which replicas recognise each other: %s", path)
        return self._read(path)

    def _read(self, path: Path) -> bytes:
        """The key in the file. One that another process has just created may be incomplete (``make_once``)."""
        while True:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                content = file.read(MAX_KEY_FILE).strip()
            if len(content) >= 2 * KEY_BYTES or time.time() - status.st_mtime > WRITE_TIME:
                break
            time.sleep(0.01)
        problem = exposure(path, status)
        if problem := problem or weakness(content.decode("latin-1")):
            raise SettingsError(f"the key file of the cluster is refused, {path}: {problem}")
        return content

    def _described(self, error: OSError) -> str:
        return f"cannot read or create the key file of the cluster: {error.strerror or error}: {self._path}"

    def _note(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("%s; other replicas refuse this one until it is readable, or set CLUSTER_KEY", problem)
        self.problem = problem
