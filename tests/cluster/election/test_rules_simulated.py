"""The rules of leader election in thousands of simulated elections with random faults."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cluster.simulated import FAULTS, SimulatedElections, SimulatedReplica

WAYS = st.sampled_from((*FAULTS, "empty", "roll_back"))
"""Faults that lose data are drawn more often: most failures found so far needed one."""
GAPS = st.one_of(st.floats(0.05, 2.0), st.floats(1.0, 40.0))


FAULTY = st.lists(st.tuples(WAYS, GAPS), min_size=1, max_size=20)
SEEDS = st.integers(0, 2**32)


def play(elections: SimulatedElections, faults: list[tuple[str, float]]) -> Iterator[float]:
    """Plays elections with faults, and then long enough without any for a leader; yields each moment."""
    world, moment = elections.world, 0.0
    for fault, gap in faults:
        moment += gap
        world.at(moment, getattr(elections, fault))
    world.at(moment + 60.0, elections.calm)
    world.at(moment + 60.0, elections.start)
    yield from world.run(moment + 260.0)


@settings(max_examples=120, deadline=None)
@given(seed=SEEDS, faults=FAULTY)
def test_there_are_never_two_leaders_and_tokens_only_grow(seed: int, faults: list[tuple[str, float]]) -> None:
    elections, terms, highest = SimulatedElections(seed), dict[int, SimulatedReplica](), 0
    for now in play(elections, faults):
        assert len(elections.leaders) <= 1, f"two leaders at {now}"
        for one in elections.leaders:
            claim = one.candidate.claim()
            assert terms.setdefault(claim.term, one) is one, f"two leaders had term {claim.term}"
            assert elections.file.claim == claim, f"{claim} leads at {now}, and the file has {elections.file.claim}"
            assert claim.term >= highest
            highest = claim.term
    assert elections.leaders, "nobody leads in the end"


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, faults=FAULTY)
def test_two_replicas_never_lead_in_one_term_when_a_lease_store_goes_back_unnoticed(
    seed: int, faults: list[tuple[str, float]]
) -> None:
    elections, terms = SimulatedElections(seed, named_stores=False), dict[int, SimulatedReplica]()
    before = elections.file.claim
    for _ in play(elections, faults):
        for one in elections.leaders:
            term = one.candidate.claim().term
            assert terms.setdefault(term, one) is one, f"two leaders had term {term}"
        assert not before.is_later_than(elections.file.claim)
        before = elections.file.claim
    assert elections.leaders, "nobody leads in the end"
