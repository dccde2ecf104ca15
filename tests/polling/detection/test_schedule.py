"""When detection runs, and which results are kept."""

from __future__ import annotations

from promsnmp.modules.auto_modules import Fingerprint
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.detection.schedule import RECHECK_SECONDS, REDETECT_SECONDS, RETRY_SECONDS, DetectionSchedule
from promsnmp.snmp import ber, oid

FACE = (b"descr", b"object")


def identity(
    *modules: str, problem: str = "", up_time: int | None = 10_000_000, object_id: str = "1.3.6.1.4.1.534.1"
) -> DeviceIdentity:
    match = Fingerprint("", "", tuple((name, "because") for name in modules))
    return DeviceIdentity("", object_id, "", match, 3, up_time, problem)


def ticks(hundredths: int) -> bytes:
    """A column with sysUpTime."""
    return ber.encode_varbind(oid.encode("1.3.6.1.2.1.1.3.0"), ber.encode_integer(hundredths, ber.TIME_TICKS))


def detected_schedule(*modules: str, at: float = 1000.0) -> DetectionSchedule:
    one = DetectionSchedule()
    one.record_identity(identity(*modules), at)
    one.observe_system_group(FACE, ticks(500_000))
    return one


def test_an_unknown_device_is_detected_at_once_and_then_seldom() -> None:
    one = DetectionSchedule()
    assert one.is_due(1000.0)
    assert not one.modules
    one.record_identity(identity("system", "ups"), 1000.0)
    assert one.modules == ("system", "ups")
    assert not one.is_due(1000.0 + REDETECT_SECONDS - 1)
    assert one.is_due(1000.0 + REDETECT_SECONDS)


def test_a_device_that_has_just_started_is_detected_again_soon() -> None:
    one = DetectionSchedule()
    one.record_identity(identity("system", up_time=6000), 1000.0)
    assert not one.is_due(1000.0 + RECHECK_SECONDS - 1)
    assert one.is_due(1000.0 + RECHECK_SECONDS)


def test_a_device_with_stored_modules_is_not_detected_at_first() -> None:
    one = DetectionSchedule()
    one.set_stored_modules(("system", "cisco"), "key", 1000.0)
    assert one.modules == ("system", "cisco")
    assert not one.is_due(1001.0)
    assert one.is_due(1000.0 + REDETECT_SECONDS)


def test_devices_with_stored_modules_are_not_all_due_at_once() -> None:
    known = [DetectionSchedule() for _ in range(100)]
    for number, one in enumerate(known):
        one.set_stored_modules(("system",), f"key {number}", 0.0)
    assert 30 < sum(one.is_due(REDETECT_SECONDS / 2) for one in known) < 70


def test_the_newer_result_counts_stored_or_detected() -> None:
    one = DetectionSchedule()
    one.set_stored_modules(("system", "cisco"), "key", 0.0)
    one.record_identity(identity("system", "ups"), 1000.0)
    one.record_identity(identity("system", "ups"), 1600.0)
    one.set_stored_modules(("system", "cisco"), "key", 2000.0)  # the same as before
    assert one.modules == ("system", "ups")
    one.set_stored_modules(("system", "apc"), "key", 3000.0)
    assert one.modules == ("system", "apc")


def test_an_inventory_without_modules_keeps_the_detected_ones() -> None:
    one = detected_schedule("system", "ups")
    one.set_stored_modules((), "key", 4000.0)
    assert one.modules == ("system", "ups")


def test_an_incomplete_result_includes_the_fallback_and_is_repeated() -> None:
    one = DetectionSchedule()
    one.record_identity(identity("system", "ups", problem="no answer"), 1000.0)
    assert one.modules == ("system", "if_mib", "ups")
    assert not one.is_due(1000.0 + RETRY_SECONDS - 1)
    assert one.is_due(1000.0 + RETRY_SECONDS)


def test_an_incomplete_result_does_not_replace_a_complete_one() -> None:
    one = detected_schedule("system", "if_mib", "ups")
    one.record_identity(identity("system", problem="no answer"), 2000.0)
    assert one.modules == ("system", "if_mib", "ups")


def test_a_module_is_dropped_when_its_tables_are_missing_twice() -> None:
    one = detected_schedule("system", "if_mib", "ups")
    assert not one.record_identity(identity("system", "lldp"), 2000.0)
    assert set(one.modules) == {"system", "lldp", "if_mib", "ups"}
    assert one.is_due(2000.0 + RECHECK_SECONDS)
    assert one.record_identity(identity("system", "lldp"), 3000.0)
    assert one.modules == ("system", "lldp")
    assert not one.is_due(3000.0 + RECHECK_SECONDS)


def test_a_module_whose_tables_are_back_was_never_dropped() -> None:
    one = detected_schedule("system", "ups")
    one.record_identity(identity("system"), 2000.0)
    assert one.record_identity(identity("system", "ups"), 3000.0)
    assert one.modules == ("system", "ups")


def test_a_different_device_keeps_no_modules_of_the_previous_one() -> None:
    one = detected_schedule("system", "ups")
    assert one.record_identity(identity("system", "lldp", object_id="1.3.6.1.4.1.9"), 2000.0)
    assert one.modules == ("system", "lldp")


def test_modules_of_the_inventory_that_are_missing_stay_at_first_too() -> None:
    one = DetectionSchedule()
    one.set_stored_modules(("system", "ups"), "key", 0.0)
    assert not one.record_identity(identity("system"), 1000.0)
    assert one.modules == ("system", "ups")
    one.record_identity(identity("system"), 2000.0)
    assert "ups" not in one.modules


def test_a_device_that_does_not_answer_detection_is_asked_less_and_less_often() -> None:
    one, now, waits = DetectionSchedule(), 0.0, []
    for _ in range(12):
        one.record_failure(now)
        wait = next(seconds for seconds in range(int(REDETECT_SECONDS) + 1) if one.is_due(now + seconds))
        waits.append(wait)
        now += wait
    assert waits[:4] == [RETRY_SECONDS, 2 * RETRY_SECONDS, 4 * RETRY_SECONDS, 8 * RETRY_SECONDS]
    assert waits[-1] == REDETECT_SECONDS


def test_a_changed_description_or_a_restart_repeats_detection() -> None:
    for face, up_time in (((b"other", b"object"), 500_001), ((b"descr", b"other"), 500_001), (FACE, 100)):
        one = detected_schedule("system")
        one.observe_system_group(FACE, ticks(500_001))
        assert not one.is_due(1000.0 + RECHECK_SECONDS)
        one.observe_system_group(face, ticks(up_time))
        assert one.is_due(1000.0 + RECHECK_SECONDS)


def test_columns_that_a_poll_did_not_read_are_not_a_change() -> None:
    one = detected_schedule("system")
    one.observe_system_group((b"", b""), b"")
    one.observe_system_group(FACE, ticks(500_001))
    assert not one.is_due(1000.0 + RECHECK_SECONDS)


def test_a_change_while_something_was_missing_is_noticed() -> None:
    one = detected_schedule("system")
    one.observe_system_group((b"", b"object"), ticks(500_001))
    one.observe_system_group((b"other", b"object"), ticks(500_002))
    assert one.is_due(1000.0 + RECHECK_SECONDS)


def test_a_device_that_keeps_changing_is_not_detected_at_every_poll() -> None:
    one, now, asked = DetectionSchedule(), 0.0, 0
    while now < 3600:
        if one.is_due(now):
            asked += 1
            one.record_identity(identity("system"), now)
        one.observe_system_group((b"up since %d" % now, b"object"), ticks(500_000 + int(now)))
        now += 30
    assert asked == 3600 / RECHECK_SECONDS


def test_an_invalid_up_time_is_not_a_restart() -> None:
    one = detected_schedule("system")
    one.observe_system_group(
        FACE, ber.encode_varbind(oid.encode("1.3.6.1.2.1.1.3.0"), ber.tlv(ber.OCTET_STRING, b"never"))
    )
    assert not one.is_due(1000.0 + RECHECK_SECONDS)


def test_stored_modules_that_equal_the_detected_ones_change_nothing() -> None:
    one = detected_schedule("system", "ups")
    one.set_stored_modules(("system", "ups"), "key", 2000.0)
    assert one.identity is not None
    assert not one.is_due(1000.0 + REDETECT_SECONDS - 1)
    assert one.is_due(1000.0 + REDETECT_SECONDS)


def test_somebody_may_have_the_modules_detected_again() -> None:
    one = detected_schedule("system", "ups")
    one.record_failure(2000.0)
    assert not one.is_due(2000.0 + RETRY_SECONDS - 1)
    one.request()
    assert one.is_due(2000.0)
    assert one.modules == ("system", "ups")
    one.record_identity(identity("system", "ups"), 2000.0)
    assert not one.is_due(2000.0 + REDETECT_SECONDS - 1)
