"""The state of a device between polls: how long it is kept, and what a change of modules or target resets."""

from __future__ import annotations

from dataclasses import replace

from promsnmp.polling.device_state import DeviceState, DeviceStates
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint

TARGET = Target("d/a", "switch", SnmpEndpoint("192.0.2.1"), Community(), ("if_mib",))


def test_a_target_has_one_state_for_each_list_of_modules() -> None:
    states = DeviceStates()
    state = states.of(TARGET)
    assert states.of(replace(TARGET, timeout=1.0)) is state is states.find(TARGET)
    assert states.find(replace(TARGET, modules=("system",))) is None
    assert states.of(replace(TARGET, modules=("system",))) is not state


def test_the_least_recently_polled_state_goes_first() -> None:
    states = DeviceStates(2)
    first, second, third = (replace(TARGET, key=key) for key in "abc")
    for target in (first, second, first, third):
        states.of(target)
    assert [states.find(target) is not None for target in (first, second, third)] == [True, False, True]


def test_other_modules_drop_labels_and_keep_histograms() -> None:
    state = DeviceState()
    state.use_modules(("if_mib",))
    before = state.render_state
    state.use_modules(("if_mib",))
    assert state.render_state is before
    state.use_modules(("if_mib", "system"))
    assert state.modules == ("if_mib", "system")
    assert state.render_state is not before
    assert state.render_state.utilization is before.utilization


def test_a_reload_drops_the_labels_of_every_state() -> None:
    states = DeviceStates()
    before = states.of(TARGET).render_state
    states.reset_rendering()
    assert states.of(TARGET).render_state is not before


def test_the_formats_requested_last_are_rendered_until_others_are() -> None:
    state = DeviceState()
    assert state.next_formats() == {Format.TEXT}
    state.requested_formats.add(Format.OPENMETRICS)
    assert [state.next_formats(), state.next_formats()] == [{Format.OPENMETRICS}, {Format.OPENMETRICS}]


def test_a_changed_target_gets_a_new_label_cache() -> None:
    state = DeviceState()
    cache = state.labels(TARGET, every=10, seconds=300)
    assert state.labels(TARGET, every=10, seconds=300) is cache
    assert state.labels(replace(TARGET, credentials=Community(community="x")), every=10, seconds=300) is not cache


def test_states_of_targets_that_only_scrapes_ask_for_take_bounded_memory() -> None:
    states = DeviceStates(max_octets=1_000_000)
    managed = states.of(TARGET)
    states.record_size(TARGET, 10_000_000)
    targets = [replace(TARGET, key=f"x{number}", managed=False) for number in range(100)]
    for target in targets:
        states.of(target)
        states.record_size(target, 50_000)
        assert states.unmanaged_octets <= 1_000_000
    assert states.find(TARGET) is managed
    assert len(states) < 12
    assert states.find(targets[-1]) is not None


def test_a_target_that_comes_into_the_inventory_keeps_its_state() -> None:
    states = DeviceStates(max_octets=10_000)
    adhoc = replace(TARGET, managed=False)
    state = states.of(adhoc)
    states.record_size(adhoc, 100_000)
    assert states.of(TARGET) is state
    assert states.unmanaged_octets == 0
    for number in range(5):
        states.of(replace(adhoc, key=f"x{number}"))
    assert states.find(TARGET) is state


def test_states_that_are_dropped_for_their_number_free_their_share() -> None:
    states = DeviceStates(2)
    for number in range(10):
        states.of(replace(TARGET, key=f"x{number}", managed=False))
    assert (len(states), states.unmanaged_octets) == (2, 8_000)


def test_only_an_engine_that_has_not_proven_itself_is_forgotten() -> None:
    state = DeviceState()
    state.engine.set_engine_id(b"a claim")
    state.forget_unproven_engine()
    assert state.engine.engine_id == b""
    state.engine.set_engine_id(b"the engine")
    state.engine.set_clock(1, 2, 3.0)
    state.forget_unproven_engine()
    assert state.engine.engine_id == b"the engine"
