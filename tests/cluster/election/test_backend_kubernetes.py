"""The lease store in Kubernetes: the format of client-go, and election runners with an API server that misbehaves."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.cluster.clients.kube_api import KubeApi, KubeApiAddress
from promsnmp.cluster.election.backend_kubernetes import ANNOTATION, KubernetesLeaseStore
from promsnmp.cluster.election.lease import vacancy
from promsnmp.cluster.election.rules import Timing
from promsnmp.cluster.election.runner import ElectionRunner
from promsnmp.errors import CoordinatorError
from tests.support.cluster.api_server import ApiServer
from tests.support.cluster.lease_stores import TIMING, RunnerGroup, lease_record, write
from tests.support.service.certificates import Authority
from tests.support.tools import until

# --- the lease store


async def test_a_written_record_is_read_unchanged(lease_store: KubernetesLeaseStore) -> None:
    state = await write(lease_store, lease_record("pod-0", 1))
    assert state.record is not None
    assert replace(state.record, beat="") == lease_record("pod-0", 1)
    assert state.record.beat


async def test_a_missing_lease_is_created_without_a_holder_and_each_new_one_is_a_change(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    first = await lease_store.read()
    assert first.record is not None
    assert first.record == vacancy(first.record.beat)
    assert "holderIdentity" not in api_server.lease()["spec"]
    assert not (await lease_store.read()).changed_from(first)
    api_server.store.leases.clear()
    assert not await lease_store.write(lease_record("pod-0", 1), first)
    assert (await lease_store.read()).changed_from(first)


async def test_a_lease_created_meanwhile_by_another_replica_is_read(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    api_server.faults.conflicts = 1
    with pytest.raises(CoordinatorError, match="404"):  # the creation is refused, and there is still no lease
        await lease_store.read()
    reads = await asyncio.gather(*(lease_store.read() for _ in range(5)))
    assert len({state.record for state in reads}) == 1


async def test_each_write_is_a_change_even_when_the_clock_stands_still(api_server: ApiServer) -> None:
    api = KubeApi(KubeApiAddress(api_server.address, tls=False), timeout=1.0)
    stopped = KubernetesLeaseStore(api, "site", now=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    first = await write(stopped, lease_record("pod-0", 1))
    second = await write(stopped, lease_record("pod-0", 1))
    assert second.changed_from(first)
    assert not await stopped.write(lease_record("pod-0", 1), first)
    api.close()


async def test_a_restored_old_lease_is_a_change(lease_store: KubernetesLeaseStore, api_server: ApiServer) -> None:
    first = await write(lease_store, lease_record("pod-0", 1))
    old = api_server.lease()
    await write(lease_store, lease_record("pod-0", 1))
    old["metadata"]["resourceVersion"] = api_server.lease()["metadata"]["resourceVersion"]
    api_server.store.update("site", "promsnmp-leader", old)
    assert (await lease_store.read()).changed_from(first)


async def test_a_lease_has_the_fields_that_client_go_writes(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    before = dt.datetime.now(dt.UTC)
    await write(lease_store, lease_record("pod-0", 1))
    lease = api_server.lease()
    spec = lease["spec"]
    assert (lease["apiVersion"], lease["kind"]) == ("coordination.k8s.io/v1", "Lease")
    assert lease["metadata"]["name"] == "promsnmp-leader"
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("pod-0", 30, 0)
    assert spec["acquireTime"] == spec["renewTime"]
    assert before <= dt.datetime.fromisoformat(spec["renewTime"]) <= dt.datetime.now(dt.UTC)


async def test_a_renewal_changes_only_the_renew_time(lease_store: KubernetesLeaseStore, api_server: ApiServer) -> None:
    await write(lease_store, lease_record("pod-0", 1))
    old = api_server.lease()["spec"]
    await write(lease_store, lease_record("pod-0", 1))
    new = api_server.lease()["spec"]
    assert new["renewTime"] > old["renewTime"]
    assert {**new, "renewTime": ""} == {**old, "renewTime": ""}


async def test_transitions_count_changes_of_the_holder(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    for term, name in enumerate(["pod-0", "pod-0", "pod-1", "pod-2"], start=1):
        await write(lease_store, lease_record(name, term))
    assert api_server.lease()["spec"]["leaseTransitions"] == 2


async def test_a_released_lease_has_no_holder_and_keeps_the_fencing_token(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    await write(lease_store, lease_record("pod-0", 7))
    state = await write(lease_store, lease_record("pod-0", 7, released=True))
    spec = api_server.lease()["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("", 1)
    assert state.record is not None
    assert (state.record.fencing_token, state.record.released, state.forced) == (7, True, False)
    await write(lease_store, lease_record("pod-0", 8))
    assert api_server.lease()["spec"]["leaseTransitions"] == 1


async def test_a_write_based_on_an_older_version_is_rejected(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    nothing = await lease_store.read()
    assert await lease_store.write(lease_record("pod-0", 1), nothing)
    assert not await lease_store.write(lease_record("pod-1", 1), nothing)
    state = await lease_store.read()
    assert await lease_store.write(lease_record("pod-1", 2), state)
    assert not await lease_store.write(lease_record("pod-0", 1), state)
    assert api_server.lease()["spec"]["holderIdentity"] == "pod-1"


async def test_a_deleted_lease_is_created_again(lease_store: KubernetesLeaseStore, api_server: ApiServer) -> None:
    state = await write(lease_store, lease_record("pod-0", 1))
    api_server.store.leases.clear()
    assert not await lease_store.write(lease_record("pod-0", 1), state)
    assert (await write(lease_store, lease_record("pod-0", 1))).record is not None


async def test_foreign_keys_of_the_lease_are_kept(lease_store: KubernetesLeaseStore, api_server: ApiServer) -> None:
    await write(lease_store, lease_record("pod-0", 1))
    lease = api_server.lease()
    lease["metadata"]["labels"] = {"team": "network"}
    lease["metadata"]["annotations"]["note"] = "by hand"
    api_server.store.update("site", "promsnmp-leader", lease)
    await write(lease_store, lease_record("pod-1", 2))
    assert api_server.lease()["metadata"]["labels"] == {"team": "network"}
    assert api_server.lease()["metadata"]["annotations"]["note"] == "by hand"


def change(api_server: ApiServer, **spec: object) -> None:
    lease = api_server.lease()
    lease["spec"] |= spec
    api_server.store.update("site", "promsnmp-leader", lease)


async def test_a_holder_removed_by_hand_forces_an_election(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    await write(lease_store, lease_record("pod-0", 1))
    change(api_server, holderIdentity="")
    state = await lease_store.read()
    assert state.forced
    assert state.record is not None
    assert not state.record.released


async def test_another_program_that_holds_the_lease_counts_as_leader(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    await write(lease_store, lease_record("pod-0", 3))
    change(api_server, holderIdentity="other", leaseDurationSeconds=15)
    state = await lease_store.read()
    assert state.record is not None
    assert (state.record.holder, state.record.instance, state.record.duration) == ("other", "", 15.0)


@pytest.mark.parametrize("note", [None, "", "{", "[]", '{"term": "x"}', '{"holder": "pod-0"}'])
async def test_a_lease_without_our_annotation_belongs_to_another_program(
    lease_store: KubernetesLeaseStore, api_server: ApiServer, note: str | None
) -> None:
    await write(lease_store, lease_record("pod-0", 3))
    lease = api_server.lease()
    lease["metadata"]["annotations"] = {} if note is None else {ANNOTATION: note}
    api_server.store.update("site", "promsnmp-leader", lease)
    state = await lease_store.read()
    assert state.record is not None
    assert (state.record.holder, state.record.instance) == ("pod-0", "")
    change(api_server, holderIdentity="")
    state = await lease_store.read()
    assert state.record is not None
    assert state.record.released


async def test_only_the_verbs_get_create_and_update_are_used(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    for term in range(3):
        await write(lease_store, lease_record("pod-0", term))
    await write(lease_store, lease_record("pod-0", 3, released=True))
    assert set(api_server.verbs) == {"get", "create", "update"}


# --- errors of the API


@pytest.mark.parametrize(
    ("fault", "value", "message"),
    [
        ("status", 500, "500: etcdserver: request timed out"),
        ("status", 429, "429"),
        ("drop", "before", "closed the connection"),
        ("drop", "after", "closed the connection"),
        ("hang", True, "did not answer within 1 s"),
        ("nonsense", True, "not a Lease"),
    ],
)
async def test_errors_are_reported(
    lease_store: KubernetesLeaseStore, api_server: ApiServer, fault: str, value: object, message: str
) -> None:
    await write(lease_store, lease_record("pod-0", 1))
    setattr(api_server.faults, fault, value)
    with pytest.raises(CoordinatorError, match=message):
        await lease_store.read()
    api_server.faults.hang = False


async def test_the_next_read_shows_whether_a_write_without_an_answer_was_made(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    state = await write(lease_store, lease_record("pod-0", 1))
    api_server.faults.drop = "after"
    with pytest.raises(CoordinatorError):
        await lease_store.write(lease_record("pod-1", 2), state)
    api_server.faults.drop = ""
    found = (await lease_store.read()).record
    assert found is not None
    assert found.holder == "pod-1"


async def test_a_missing_permission_is_reported_with_advice(
    lease_store: KubernetesLeaseStore, api_server: ApiServer
) -> None:
    api_server.forbidden = {"get"}
    with pytest.raises(CoordinatorError, match=r"403.*cannot get.*high-availability"):
        await lease_store.read()


async def test_the_token_is_reread_and_the_certificate_is_verified(tmp_path: Path) -> None:
    with ApiServer(tmp_path) as api_server:
        api = KubeApi(KubeApiAddress(api_server.address, tmp_path), timeout=5.0)
        assert KubeApiAddress(api_server.address, tmp_path).namespace() == "site"
        lease_store = KubernetesLeaseStore(api, "site")
        await write(lease_store, lease_record("pod-0", 1))
        api_server.rotate("second-token")
        await write(lease_store, lease_record("pod-0", 1))
        api_server.token = "not in the file"
        with pytest.raises(CoordinatorError, match="401"):
            await lease_store.read()
        api_server.token = "second-token"
        good = (tmp_path / "ca.crt").read_bytes()
        (tmp_path / "ca.crt").write_bytes(Authority("another cluster").cert)
        with pytest.raises(CoordinatorError, match=r"(?i)certificate"):
            await lease_store.read()
        (tmp_path / "ca.crt").write_bytes(good)
        assert (await lease_store.read()).record is not None
        (tmp_path / "token").unlink()
        with pytest.raises(CoordinatorError, match=r"cannot read the service account: .*token"):
            await lease_store.read()
        (tmp_path / "ca.crt").write_text("no certificate")
        (tmp_path / "token").write_text("second-token")
        with pytest.raises(CoordinatorError, match=r"cannot use .*ca\.crt"):
            await lease_store.read()
        api.close()


def test_the_namespace_is_default_without_a_service_account(tmp_path: Path) -> None:
    assert KubeApiAddress("kubernetes.default.svc:443", tmp_path).namespace() == "default"


# --- election runners


class CandidateGroup(RunnerGroup):
    """Election runners that use one API server."""

    def __init__(self, api_server: ApiServer) -> None:
        super().__init__()
        self.address = KubeApiAddress(api_server.address, tls=False)
        self.apis: list[KubeApi] = []

    def join(self, name: str, timing: Timing = TIMING) -> ElectionRunner:
        api = KubeApi(self.address, timeout=0.5)
        self.apis.append(api)
        runner = self.add(name, KubernetesLeaseStore(api, "site"), timing=timing, timeout=1.5)
        runner.start()
        return runner


@pytest.fixture
async def candidates(api_server: ApiServer) -> AsyncIterator[CandidateGroup]:
    made = CandidateGroup(api_server)
    yield made
    api_server.faults.hang = False
    await made.stop()
    for api in made.apis:
        api.close()


async def test_one_of_three_leads_and_has_a_successor_when_it_stops(
    candidates: CandidateGroup, api_server: ApiServer
) -> None:
    for number in range(3):
        candidates.join(f"pod-{number}")
    first = await candidates.leader()
    term = first.claim().term
    await first.stop()
    second = await candidates.leader(other_than=first)
    assert second.claim().term == term + 1
    assert api_server.lease()["spec"]["holderIdentity"] == f"pod-{candidates.members.index(second)}"


async def test_two_processes_with_the_same_name_never_both_lead(candidates: CandidateGroup) -> None:
    candidates.join("pod-0")
    candidates.join("pod-0")
    first = await candidates.leader()
    await first.stop()
    await candidates.leader(other_than=first)


@pytest.mark.parametrize(("fault", "value"), [("hang", True), ("status", 500), ("drop", "before"), ("drop", "after")])
async def test_a_leader_stops_on_time_when_the_api_fails_and_leads_again_with_a_higher_token(
    candidates: CandidateGroup, api_server: ApiServer, fault: str, value: object
) -> None:
    candidates.join("pod-0")
    leader = await candidates.leader()
    term = leader.claim().term
    setattr(api_server.faults, fault, value)
    await until(lambda: not leader.leads)
    assert leader.problem
    setattr(api_server.faults, fault, type(value)())
    await until(lambda: leader.leads)
    assert leader.claim().term > term
    assert not leader.problem


async def test_conflicts_delay_a_renewal_without_making_a_second_leader(
    candidates: CandidateGroup, api_server: ApiServer
) -> None:
    for number in range(2):
        candidates.join(f"pod-{number}", Timing(6.0, 0.3, 0.1))
    leader = await candidates.leader()
    api_server.faults.conflicts = 5
    await until(lambda: api_server.faults.conflicts == 0)
    before = leader.candidate.renewed_at
    await until(lambda: leader.candidate.renewed_at > before)
    assert await candidates.leader() is leader


async def test_the_holder_creates_a_deleted_lease_again(candidates: CandidateGroup, api_server: ApiServer) -> None:
    for number in range(3):
        candidates.join(f"pod-{number}")
    leader = await candidates.leader()
    await until(lambda: all(one.leader is not None for one in candidates.members))
    term = leader.claim().term
    with api_server.lock:
        api_server.store.leases.clear()
    await until(lambda: bool(api_server.store.leases))
    assert await candidates.leader() is leader
    assert leader.claim().term == term


async def test_removing_the_holder_by_hand_elects_another_leader(
    candidates: CandidateGroup, api_server: ApiServer
) -> None:
    for number in range(2):
        candidates.join(f"pod-{number}")
    first = await candidates.leader()
    with api_server.lock:
        change_locked(api_server, holderIdentity="")
    await candidates.leader(other_than=first)


def change_locked(api_server: ApiServer, **spec: object) -> None:
    lease = api_server.store.get("site", "promsnmp-leader")
    lease["spec"] |= spec
    api_server.store.update("site", "promsnmp-leader", lease)
