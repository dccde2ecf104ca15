"""Scenarios with writes whose end fails, and with files that an operator has to set right: each checks what must hold.

The tests run some of them, ``make soak`` all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

from promsnmp.cluster.members.peer_inventories import LAG_LIMIT
from promsnmp.inventory.document.write import to_document
from promsnmp.inventory.storage.encryption import encrypt
from promsnmp.inventory.storage.installation import installation_file
from promsnmp.inventory.store import InventoryStore
from tests.support.cluster.replica import KEY, Replica
from tests.support.failures.faults.outages import (
    add_device_at_all,
    device_names_at,
    make_changes,
    wait_for_same_inventory,
)
from tests.support.failures.fleet.harness import Fleet
from tests.support.failures.load.scrapes import Scrapes
from tests.support.inventory.faulty_calls import FaultyCalls
from tests.support.service.preloaded import run
from tests.support.tools import wait_until

OWN_KEY = {"CLUSTER_KEY": "5f2c9a71d08e4b36a1c7e29f60d3b845"}
"""Replicas with different volumes recognise each other only by a key that is not on the volume."""
MARK = "mark of the file"
"""A device that only the file of a state has."""
State = Callable[[Path, bytes], None]
"""Puts a file in place, given a backup of an earlier version."""


@dataclass(frozen=True, slots=True)
class Writes:
    """Numbers of changes, by what the replicas answered, and of scrapes meanwhile."""

    unknown: int = 0
    done: int = 0
    scrapes: int = 0


def folder_cannot_be_synced(fleet: Fleet, calls: FaultyCalls, *, file: Path, slack: float) -> Writes:
    """A change stands in the file, but may not survive a power failure: every replica answers 504, none refuses it."""
    leader = fleet.leader()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        with calls.no_folder_sync():
            responses = add_device_at_all(fleet, "unsynced")
            for replica, answer in responses:
                assert answer.status_code == 504, (replica.name, answer.status_code, answer.text)
                assert "cannot be synced" in answer.json()["error"], answer.text
            for replica in fleet.replicas:
                name = f"unsynced at {replica.name}"
                assert name in {device.sys_name for device in _inventory(file).devices}
                _wait_for(lambda name=name: all(name in device_names_at(each) for each in fleet.replicas), name, slack)  # type: ignore[misc]
            error = _error_of(leader)  # that of the last change, or of a later check of the volume
            assert "cannot be synced" in error or "cannot be written" in error, error
            assert leader.metric("promsnmp_inventory_healthy") == 0
        _wait_for(lambda: not _error_of(leader), "health that is well again", slack)
        for replica in fleet.replicas:
            gone = replica.client.delete(f"/promsnmp/devices/unsynced at {replica.name}", timeout=60)
            assert gone.status_code == 204, gone.text
        make_changes(fleet)
    assert not scrapes.failures, scrapes.failures[:5]
    return Writes(unknown=len(responses), done=2 * len(fleet.replicas), scrapes=scrapes.count)


def sees_another_volume(fleet: Fleet, file: Path, *, slack: float, reported: bool) -> Writes:
    """A replica whose volume is another one, such as an old copy, knows no device: it asks a replica that knows more,
    and with ``reported``, its health must report it."""
    file.parent.mkdir(exist_ok=True)
    copyfile(installation_file(fleet.folder / "inventory.json"), installation_file(file))
    (other,) = fleet.start(fleet.fresh_name(), env={"PROM_INV_FILE": str(file)})
    try:
        fleet.settle()
        assert not device_names_at(other)
        with Scrapes([other], fleet.targets) as scrapes:
            wait_until(lambda: scrapes.count >= 2 * len(fleet.targets), deadline=slack, what="scrapes")
            if reported:
                _wait_for(lambda: _status_of(other) == "OUT_OF_SERVICE", "health that says so", LAG_LIMIT + slack)
                assert "this replica revision 0 of term 0" in _error_of(other), _error_of(other)
                assert other.output().count("the inventory of this replica is out of date") == 1, other.tail()
        assert other.client.get("/snmp", params={"target": "nobody"}).status_code == 404
    finally:
        assert fleet.stop(other) == 0
    assert not scrapes.failures, scrapes.failures[:5]
    return Writes(scrapes=scrapes.count)


# --- files that an operator sets right


def _plain(file: Path, backup: bytes) -> None:
    file.write_text(json.dumps(_document_in(file, backup)))


def _older(file: Path, backup: bytes) -> None:
    file.write_bytes(backup)


def _damaged(file: Path, _: bytes) -> None:
    file.write_bytes(b"damaged!")


def _of_another_key(file: Path, _: bytes) -> None:
    file.write_bytes(encrypt(b"{}", KEY[::-1].encode()))


def _gone(file: Path, _: bytes) -> None:
    file.unlink()


def _of_another_program(file: Path, backup: bytes) -> None:
    document = _document_in(file, backup)
    del document["revision"], document["term"]
    document.pop("importedAt", None)
    file.write_bytes(encrypt(json.dumps(document).encode(), KEY.encode()))


@dataclass(frozen=True, slots=True)
class WayOut:
    """A state of the file, what health says about it, and what the operator does.

    ``command`` is what follows ``promsnmp inventory``; FILE and BACKUP stand for paths. Without one the file is deleted
    if ``deletes``. ``uses_file``: whether the devices of the file, or of the backup, are used afterwards; otherwise it
    is those in memory.
    """

    state: State
    reason: str
    command: tuple[str, ...] = ()
    deletes: bool = False
    uses_file: bool = True


_REPLACE = ("import", "--replace-unreadable", "BACKUP")
WAYS_OUT = {
    "plain JSON": WayOut(_plain, "plain JSON", ("import", "FILE")),
    "an older file that is wanted": WayOut(_older, "is older", ("import", "FILE")),
    "an older file that is not wanted": WayOut(_older, "is older", deletes=True, uses_file=False),
    "a damaged file": WayOut(_damaged, "is damaged", _REPLACE),
    "a damaged file that is not wanted": WayOut(_damaged, "is damaged", deletes=True, uses_file=False),
    "a file of another key": WayOut(_of_another_key, "cannot be decrypted", _REPLACE),
    "no file": WayOut(_gone, "is gone", ("import", "BACKUP")),
    "a file of another program": WayOut(_of_another_program, ""),
}
"""Each way out in docs/how-to/operations.md, "Set the inventory file right"."""


def is_set_right(fleet: Fleet, way_out: WayOut, *, file: Path, slack: float) -> Writes:
    """Whatever is done to the file, there is a way out: all replicas use one inventory again, its numbers do not fall
    back, changes are made, and scrapes go on all the time."""
    leader, backup = fleet.leader(), file.with_name("backup.json")
    added = leader.client.post("/promsnmp/devices", json={"sysName": MARK, "agents": []})
    backup.write_bytes(file.read_bytes())
    assert leader.client.delete(added.headers["location"]).status_code == 204
    wait_for_same_inventory(fleet)
    before = leader.metric("promsnmp_inventory_revision")
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        way_out.state(file, backup.read_bytes())
        if way_out.reason:
            for replica in fleet.replicas:
                _wait_for(
                    lambda replica=replica: way_out.reason in _error_of(replica) or _is_written_again(way_out, file),  # type: ignore[misc]
                    way_out.reason,
                    slack,
                )
        if way_out.command:
            _promsnmp(way_out.command, file, backup)
        if way_out.deletes:
            file.unlink()
            make_changes(fleet)
        _wait_for(
            lambda: all((MARK in device_names_at(each)) == way_out.uses_file for each in fleet.replicas), MARK, slack
        )
        _wait_for(lambda: not any(map(_error_of, fleet.replicas)), "health that is well again", slack)
        make_changes(fleet)
        wait_for_same_inventory(fleet)
    assert min(replica.metric("promsnmp_inventory_revision") for replica in fleet.replicas) > before
    assert _inventory(file).revision == leader.metric("promsnmp_inventory_revision")
    if way_out.uses_file:
        assert leader.client.delete(f"/promsnmp/devices/{MARK}").status_code == 204
    assert not scrapes.failures, scrapes.failures[:5]
    return Writes(done=2 * len(fleet.replicas), scrapes=scrapes.count)


def _is_written_again(way_out: WayOut, file: Path) -> bool:
    """Whether the leader has written a file again that was gone, because it had something to store."""
    return way_out.state is _gone and file.exists()


def _promsnmp(command: tuple[str, ...], file: Path, backup: Path) -> None:
    words = [{"FILE": str(file), "BACKUP": str(backup)}.get(word, word) for word in command]
    ended = run("inventory", *words, env={"PROM_INV_FILE": str(file), "PROM_ENCRYPT_KEY": KEY})
    assert ended.returncode == 0, ended.stderr


def _inventory(file: Path) -> Any:
    return InventoryStore(file, KEY.encode()).load()


def _document_in(file: Path, backup: bytes) -> dict[str, Any]:
    copy = file.with_name("copy.json")
    copy.write_bytes(backup)
    return to_document(_inventory(copy), mask=False)


def _status_of(replica: Replica) -> str:
    return str(replica.client.get("/actuator/health/inventory").json()["status"])


def _error_of(replica: Replica) -> str:
    return str(replica.client.get("/actuator/health/inventory").json()["details"].get("error", ""))


def _wait_for(condition: Callable[[], bool], what: str, slack: float) -> None:
    wait_until(condition, deadline=slack, what=what)
