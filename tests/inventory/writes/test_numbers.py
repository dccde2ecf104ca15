"""Revision and term never fall back, whatever file an operator puts in place, and the file never gets absurd ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.errors import InventoryUnavailable, NotLeader
from promsnmp.inventory.document.write import from_document, to_document
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.storage.encryption import encrypt
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.writes.numbers import carried, continued, imported, numbered
from promsnmp.support.claim import MAX_NUMBER, Claim
from tests.support.inventory.samples import KEY, document

KNOWN = Inventory(revision=100, fencing_token=7, imported_at=50)


def test_a_file_with_larger_numbers_counts_as_it_is() -> None:
    for term, revision in ((7, 100), (7, 101), (8, 3)):
        in_file = Inventory(revision=revision, fencing_token=term)
        assert continued(in_file, KNOWN) == replace(in_file, imported_at=50)


def test_a_file_with_lower_numbers_does_not_count() -> None:
    for term, revision in ((7, 99), (6, 200), (0, 1)):
        for imported_at in (0, 50):
            assert continued(Inventory((), (), revision, term, (), imported_at), KNOWN) is None


@pytest.mark.parametrize(
    "in_file", [Inventory(), Inventory(revision=1, imported_at=51), Inventory((), (), 900, 3, (), 51)]
)
def test_a_file_without_numbers_or_with_a_later_import_counts_and_continues_the_numbers(in_file: Inventory) -> None:
    result = continued(in_file, KNOWN)
    assert result is not None
    assert result.revision == max(in_file.revision, 100) + 1
    assert (result.fencing_token, result.imported_at) == (7, max(in_file.imported_at, 50))


def test_a_file_without_numbers_counts_as_imported_when_it_is_read_first() -> None:
    assert numbered(Inventory(), time_ms=9) == Inventory(imported_at=9)
    assert numbered(KNOWN, time_ms=99) is KNOWN


def test_an_import_is_later_than_the_one_before_whatever_the_clock_says() -> None:
    assert imported(Inventory(), KNOWN, time_ms=60).imported_at == 60
    assert imported(Inventory(), KNOWN, time_ms=3).imported_at == 51


def test_absurd_numbers_of_a_document_are_not_continued() -> None:
    assert carried(KNOWN) == KNOWN
    for absurd in (Inventory(revision=MAX_NUMBER), Inventory(fencing_token=MAX_NUMBER - 1)):
        assert carried(absurd) == Inventory()


def test_a_backup_does_not_bring_back_the_claim_of_an_earlier_leader() -> None:
    known = replace(KNOWN, leader_instance="leader of term 7")
    backup = Inventory(revision=90, fencing_token=6, imported_at=60, leader_instance="leader of term 6")
    used = continued(backup, known)
    assert used is not None
    assert (used.revision, used.claim) == (101, Claim(7, "leader of term 7"))
    later = continued(replace(backup, fencing_token=8, revision=80, leader_instance="leader of term 8"), known)
    assert later is not None
    assert later.claim == Claim(8, "leader of term 8")


def test_the_time_of_the_import_is_only_in_the_file() -> None:
    assert from_document(to_document(KNOWN, mask=False)) == KNOWN
    assert "importedAt" not in to_document(KNOWN, mask=True)


# --- a store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.json"


class Replica(InventoryStore):
    """A running replica of a cluster whose leader has ``term``; None: it is a follower."""

    def __init__(self, path: Path, term: int | None) -> None:
        super().__init__(path, KEY)
        self.guard_writes(self._claim)
        self.load()
        self.term = term

    def _claim(self) -> Claim:
        if self.term is None:
            raise NotLeader("a follower")
        return Claim(self.term, "instance of the leader")

    @property
    def names(self) -> list[str]:
        return [device.sys_name for device in self.current.devices]

    @property
    def numbers(self) -> tuple[int, int]:
        return self.current.fencing_token, self.current.revision

    async def add(self, name: str) -> None:
        device = Device(f"00000000-0000-4000-8000-{self.current.revision:012}", name)
        await self.update(lambda old: replace(old, devices=(*old.devices, device)))


async def replicas(path: Path) -> tuple[Replica, Replica]:
    """A leader and a follower, after some changes."""
    leader = Replica(path, 7)
    for number in range(5):
        await leader.add(f"device {number}")
    return leader, Replica(path, None)


def cli(path: Path) -> InventoryStore:
    """The store of a command, which knows of no other process."""
    store = InventoryStore(path, KEY)
    store.load()
    return store


async def used_by_all(leader: Replica, follower: Replica, names: list[str], before: tuple[int, int]) -> None:
    """Checks that both use the file, that numbers grew, and that the leader can write."""
    for replica in (leader, follower, leader, follower):
        await replica.reload_if_changed()
        assert replica.last_error is None
    assert leader.names == follower.names == names
    assert leader.numbers == follower.numbers > before
    await leader.add("afterwards")
    await follower.reload_if_changed()
    assert follower.names == [*names, "afterwards"]
    assert cli(leader.path).current == leader.current


@pytest.mark.parametrize("first", ["leader", "follower"])
async def test_a_file_of_another_program_continues_the_numbers(path: Path, first: str) -> None:
    leader, follower = await replicas(path)
    before = leader.numbers
    path.write_bytes(encrypt(json.dumps(document()).encode(), KEY))
    await {"leader": leader, "follower": follower}[first].reload_if_changed()
    await used_by_all(leader, follower, ["core1.example.net", "edge2"], before)


async def test_a_change_of_a_command_to_a_file_of_another_program_counts(path: Path) -> None:
    leader, follower = await replicas(path)
    before = leader.numbers
    path.write_bytes(encrypt(json.dumps(document()).encode(), KEY))
    await cli(path).update(lambda old: replace(old, devices=old.devices[:1]))
    await used_by_all(leader, follower, ["core1.example.net"], before)


async def test_an_import_into_the_file_counts_even_when_that_was_older(path: Path) -> None:
    leader, follower = await replicas(path)
    older = path.read_bytes()
    await leader.add("lost")
    before = leader.numbers
    path.write_bytes(older)
    for replica in (leader, follower):
        await replica.reload_if_changed()
    assert "is older" in str(leader.last_error)
    store = cli(path)
    await store.import_document(to_document(store.current, mask=True), who="cli")
    await used_by_all(leader, follower, [f"device {number}" for number in range(5)], before)


async def test_an_import_without_a_file_counts(path: Path) -> None:
    leader, follower = await replicas(path)
    before = leader.numbers
    path.unlink()
    await InventoryStore(path, KEY).import_document(document(), who="cli")
    await used_by_all(leader, follower, ["core1.example.net", "edge2"], before)


async def test_a_backup_that_was_made_before_the_last_import_does_not_count(path: Path) -> None:
    leader, follower = await replicas(path)
    await cli(path).import_document(document(), who="cli")
    backup = path.read_bytes()
    await leader.reload_if_changed()
    await cli(path).import_document({"devices": [], "discoverySeeds": []}, who="cli")
    await leader.reload_if_changed()
    await follower.reload_if_changed()
    path.write_bytes(backup)
    for replica in (leader, follower):
        assert not await replica.reload_if_changed()
        assert "is older" in str(replica.last_error)
        assert replica.names == []


async def test_a_change_of_a_command_to_an_older_file_does_not_count(path: Path) -> None:
    leader, _ = await replicas(path)
    older = path.read_bytes()
    for name in ("x", "y", "z"):
        await leader.add(name)
    path.write_bytes(older)
    await cli(path).update(lambda old: replace(old, devices=()))
    assert not await leader.reload_if_changed()
    with pytest.raises(InventoryUnavailable, match="promsnmp inventory import"):
        await leader.add("refused")
    path.unlink()  # the way out to what is in memory
    await leader.add("accepted")
    assert cli(path).current == leader.current
    assert leader.names[-1] == "accepted"


async def test_a_missing_file_is_written_again_even_when_nothing_changes(path: Path) -> None:
    leader, _ = await replicas(path)
    path.unlink()
    assert await leader.update(lambda old: old) is leader.current
    assert cli(path).current == leader.current


async def test_a_posted_document_sets_no_numbers(path: Path) -> None:
    leader, _ = await replicas(path)
    posted = {**document(), "revision": 3, "term": 99, "importedAt": 99}
    after = await leader.replace(posted)
    assert (after.revision, after.fencing_token, after.imported_at) == (6, 7, 0)


# --- bounds


@pytest.mark.parametrize("term", [MAX_NUMBER + 1, 10**4300, -1], ids=["2^62+1", "10^4300", "-1"])
async def test_a_term_that_nobody_could_read_is_refused(path: Path, term: int) -> None:
    leader, follower = await replicas(path)
    before = path.read_bytes()
    leader.term = term
    with pytest.raises(InventoryUnavailable, match="not written: "):
        await leader.add("x")
    assert path.read_bytes() == before
    leader.term = 8
    await leader.add("y")
    await follower.reload_if_changed()
    assert follower.names[-1] == "y"


async def test_a_revision_at_its_bound_is_an_error_that_says_what_to_do(path: Path) -> None:
    path.write_bytes(encrypt(b'{"devices": [], "revision": %d}' % MAX_NUMBER, KEY))
    store = cli(path)
    with pytest.raises(InventoryUnavailable, match="delete the file, import it"):
        await store.update(replace)
    assert cli(path).current.revision == MAX_NUMBER


async def test_repeated_request_ids_are_kept_once(path: Path) -> None:
    store = InventoryStore(path, KEY)
    for request_id in ("one", "two", "one"):
        await store.update(replace, request_id=request_id)
    assert store.current.request_ids == ("two", "one") == cli(path).current.request_ids
