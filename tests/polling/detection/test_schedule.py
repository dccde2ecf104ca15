"""When a device is asked what it is, and what is believed of the answer."""

from __future__ import annotations

from promsnmp.modules.fingerprint import Fingerprint
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


def test_a_device_that_nobody_knows_is_asked_at_once_and_then_seldom() -> None:
    one = DetectionSchedule()
    assert one.is_due(1000.0)
    assert not one.modules
    one.record_identity(identity("system", "ups"), 1000.0)
    assert one.modules == ("system", "ups")
    assert not one.is_due(1000.0 + REDETECT_SECONDS - 1)
    assert one.is_due(1000.0 + REDETECT_SECONDS)


def test_a_device_that_has_just_started_is_asked_again_soon() -> None:
    one = DetectionSchedule()
    one.record_identity(identity("system", up_time=6000), 1000.0)
    assert not one.is_due(1000.0 + RECHECK_SECONDS - 1)
    assert one.is_due(1000.0 + RECHECK_SECONDS)


def test_a_device_that_the_inventory_knows_is_not_asked_at_first() -> None:
    one = DetectionSchedule()
    one.set_stored_modules(("system", "cisco"), "key", 1000.0)
    assert one.modules == ("system", "cisco")
    assert not one.is_due(1001.0)
    assert one.is_due(1000.0 + REDETECT_SECONDS)


def test_devices_that_the_inventory_knows_are_not_all_asked_at_one_time() -> None:
    known = [DetectionSchedule() for _ in range(100)]
    for number, one in enumerate(known):
        one.set_stored_modules(("system",), f"key {number}", 0.0)
    assert 30 < sum(one.is_due(REDETECT_SECONDS / 2) for one in known) < 70


def test_the_later_word_counts_the_inventory_s_or_what_was_found_out() -> None:
    one = DetectionSchedule()
    one.set_stored_modules(("system", "cisco"), "key", 0.0)
    one.record_identity(identity("system", "ups"), 1000.0)
    one.record_identity(identity("system", "ups"), 1600.0)
    one.set_stored_modules(("system", "cisco"), "key", 2000.0)  # which is what it was before
    assert one.modules == ("system", "ups")
    one.set_stored_modules(("system", "apc"), "key", 3000.0)
    assert one.modules == ("system", "apc")


def test_an_inventory_that_forgets_takes_nothing_away() -> None:
    one = detected_schedule("system", "ups")
    one.set_stored_modules((), "key", 4000.0)
    assert one.modules == ("system", "ups")


def test_half_an_answer_is_never_less_than_the_fallback_and_asked_for_again() -> None:
    one = DetectionSchedule()
    one.record_identity(identity("system", "ups", problem="no answer"), 1000.0)
    assert one.modules == ("system", "if_mib", "ups")
    assert not one.is_due(1000.0 + RETRY_SECONDS - 1)
    assert one.is_due(1000.0 + RETRY_SECONDS)


def test_half_an_answer_does_not_take_the_place_of_a_whole_one() -> None:
    one = detected_schedule("system", "if_mib", "ups")
    one.record_identity(identity("system", problem="no answer"), 2000.0)
    assert one.modules == ("system", "if_mib", "ups")


def test_a_module_goes_when_its_tables_are_missing_twice() -> None:
    one = detected_schedule("system", "if_mib", "ups")
    assert not one.record_identity(identity("system", "lldp"), 2000.0)
    assert set(one.modules) == {"system", "lldp", "if_mib", "ups"}
    assert one.is_due(2000.0 + RECHECK_SECONDS)
    assert one.record_identity(identity("system", "lldp"), 3000.0)
    assert one.modules == ("system", "lldp")
    assert not one.is_due(3000.0 + RECHECK_SECONDS)


def test_a_module_that_is_back_was_never_gone() -> None:
    one = detected_schedule("system", "ups")
    one.record_identity(identity("system"), 2000.0)
    assert one.record_identity(identity("system", "ups"), 3000.0)
    assert one.modules == ("system", "ups")


def test_another_device_has_nothing_of_the_one_before() -> None:
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


def test_a_device_that_does_not_tell_is_asked_ever_more_seldom() -> None:
    one, now, waits = DetectionSchedule(), 0.0, []
    for _ in range(12):
        one.record_failure(now)
        wait = next(seconds for seconds in range(int(REDETECT_SECONDS) + 1) if one.is_due(now + seconds))
        waits.append(wait)
        now += wait
    assert waits[:4] == [RETRY_SECONDS, 2 * RETRY_SECONDS, 4 * RETRY_SECONDS, 8 * RETRY_SECONDS]
    assert waits[-1] == REDETECT_SECONDS


def test_another_description_or_a_restart_asks_anew() -> None:
    for face, up_time in (((b"other", b"object"), 500_001), ((b"descr", b"other"), 500_001), (FACE, 100)):
        one = detected_schedule("system")
        one.observe_system_group(FACE, ticks(500_001))
        assert not one.is_due(1000.0 + RECHECK_SECONDS)
        one.observe_system_group(face, ticks(up_time))
        assert one.is_due(1000.0 + RECHECK_SECONDS)


def test_what_a_poll_did_not_bring_is_no_change() -> None:
    one = detected_schedule("system")
    one.observe_system_group((b"", b""), b"")
    one.observe_system_group(FACE, ticks(500_001))
    assert not one.is_due(1000.0 + RECHECK_SECONDS)


def test_a_change_while_something_was_missing_is_noticed() -> None:
    one = detected_schedule("system")
    one.observe_system_group((b"", b"object"), ticks(500_001))
    one.observe_system_group((b"other", b"object"), ticks(500_002))
    assert one.is_due(1000.0 + RECHECK_SECONDS)


def test_a_device_that_changes_all_the_time_is_not_asked_at_every_poll() -> None:
    one, now, asked = DetectionSchedule(), 0.0, 0
    while now < 3600:
        if one.is_due(now):
            asked += 1
            one.record_identity(identity("system"), now)
        one.observe_system_group((b"up since %d" % now, b"object"), ticks(500_000 + int(now)))
        now += 30
    assert asked == 3600 / RECHECK_SECONDS


def test_a_time_that_is_none_is_no_restart() -> None:
    one = detected_schedule("system")
    one.observe_system_group(
        FACE, ber.encode_varbind(oid.encode("1.3.6.1.2.1.1.3.0"), ber.tlv(ber.OCTET_STRING, b"never"))
    )
    assert not one.is_due(1000.0 + RECHECK_SECONDS)


def test_what_it_found_out_itself_and_the_inventory_now_has_is_no_news() -> None:
    one = detected_schedule("system", "ups")
    one.set_stored_modules(("system", "ups"), "key", 2000.0)
    assert one.identity is not None
    assert not one.is_due(1000.0 + REDETECT_SECONDS - 1)
    assert one.is_due(1000.0 + REDETECT_SECONDS)
