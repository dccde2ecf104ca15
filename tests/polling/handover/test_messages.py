"""Pages and histograms arrive as they were sent, in messages of bounded size, and anything else is refused."""

from __future__ import annotations

import json

import pytest

from promsnmp.errors import PeerError
from promsnmp.exposition.utilization.histogram import InterfaceCounters, Utilization
from promsnmp.polling.handover import messages
from promsnmp.polling.handover.messages import (
    MAX_SERIES,
    MESSAGE_SIZE,
    DeviceHandover,
    HandoverMessage,
    decode,
    encode,
    parts_of,
)
from promsnmp.polling.pages.page import Format, RenderedPage


def utilization(interfaces: int = 1, *, polls: int = 3) -> Utilization:
    made = Utilization()
    for poll in range(polls):
        counters = [
            InterfaceCounters(b'{ifIndex="%d"} ' % number, 1e6, poll * 1000 * number, poll * 500, 64)
            for number in range(interfaces)
        ]
        made.observe(counters, at=100.0 + 10 * poll, ticks=1000 * poll)
    return made


def sent(devices: list[DeviceHandover], *, now: float, received_at: float) -> list[HandoverMessage]:
    bodies = [
        encode(HandoverMessage("a", "b", 5.0, parts, leaves=True, heard=6.0), now=now)
        for parts in parts_of(devices, now=now)
    ]
    return [decode(body, now=received_at) for body in bodies]


def test_a_page_arrives_with_its_age() -> None:
    page = RenderedPage(90.0, ("if_mib",), {Format.TEXT: b"up 1\n", Format.OPENMETRICS: b"up 1\n# EOF\n"})
    (message,) = sent([DeviceHandover("d/a", ("auto",), page)], now=100.0, received_at=7.0)
    assert (message.sender, message.receiver, message.stamp, message.leaves) == ("a", "b", 5.0, True)
    assert message.heard == 6.0
    (part,) = message.parts
    assert (part.key, part.modules) == ("d/a", ("auto",))
    assert part.page is not None
    assert (part.page.taken_at, part.page.valid_from, part.page.modules) == (-3.0, 7.0, ("if_mib",))
    assert part.page.plain(Format.TEXT) == b"up 1\n"
    assert part.page.plain(Format.OPENMETRICS) == b"up 1\n# EOF\n"


def test_histograms_go_on_where_they_were() -> None:
    before, after = utilization(3), Utilization()
    (message,) = sent([DeviceHandover("d/a", ("auto",), None, before)], now=130.0, received_at=1030.0)
    series = message.parts[0].series
    assert series is not None
    after.take_over(series.series, series.present, series.uptime, 1030.0)
    assert after.samples() == before.samples()
    following = [InterfaceCounters(b'{ifIndex="%d"} ' % number, 1e6, 5000, 5000, 64) for number in range(3)]
    before.observe(following, at=140.0, ticks=4000)
    after.observe(following, at=1040.0, ticks=4000)
    assert after.samples() == before.samples()
    assert [one.native_counts() for one in after.current_series()] == [
        one.native_counts() for one in before.current_series()
    ]


def test_a_reboot_is_noticed_after_the_handover_too() -> None:
    after = Utilization()
    (message,) = sent([DeviceHandover("d/a", (), None, utilization())], now=130.0, received_at=1030.0)
    series = message.parts[0].series
    assert series is not None
    after.take_over(series.series, series.present, series.uptime, 1030.0)
    count = after.current_series()[0].counts()
    after.observe([InterfaceCounters(b'{ifIndex="0"} ', 1e6, 10**6, 10**6, 64)], at=1040.0, ticks=10)
    assert after.current_series()[0].counts() == count


def test_histograms_that_were_begun_already_stay() -> None:
    own = utilization(polls=6)
    before = own.samples()
    (message,) = sent([DeviceHandover("d/a", (), None, utilization())], now=130.0, received_at=160.0)
    series = message.parts[0].series
    assert series is not None
    own.take_over(series.series, series.present, series.uptime, 160.0)
    assert own.samples() == before


def test_much_is_sent_in_many_messages_histograms_first() -> None:
    page = RenderedPage(90.0, (), {Format.TEXT: b"up 1\n"})
    page.compressed = {Format.TEXT: bytes(MESSAGE_SIZE // 2 + 1)}
    devices = [DeviceHandover(f"d{number}/a", (), page, utilization(MAX_SERIES + 1)) for number in range(4)]
    batches = list(parts_of(devices, now=130.0))
    kinds = ["page" if part.page is not None else "series" for parts in batches for part in parts]
    assert kinds == ["series"] * 8 + ["page"] * 4
    assert all(len(encode(HandoverMessage("a", "b", None, parts), now=0.0)) < 2 * MESSAGE_SIZE for parts in batches)


def test_a_page_that_fits_in_no_message_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_MESSAGE", 100_000)
    page = RenderedPage(90.0, (), {Format.TEXT: b"up 1\n"})
    page.compressed = {Format.TEXT: bytes(100_000)}
    assert list(parts_of([DeviceHandover("d/a", (), page)], now=0.0)) == []


def _head(**changes: object) -> bytes:
    part = {"key": "d/a", "modules": [], "page": None, "bodies": [], "series": None} | changes
    return json.dumps({"sender": "a", "receiver": "b", "stamp": None, "leaves": False, "parts": [part]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}\n",
        b"[" * 100_000,
        _head(key=5),
        _head(modules="auto"),
        _head(bodies=[["TEXT", 5]]) + b"\nabc",
        _head(bodies=[["TEXT", -1]]) + b"\nabc",
        _head(bodies=[["HTML", 1]]) + b"\na",
        _head(series={"series": [[]], "uptime": None}),
        _head(series={"series": [["{} ", [0] * 10, 0, 0, 64, -1, 0, 0, [], 0, True]], "uptime": None}),
        _head(series={"series": [["{} ", [0] * 9, 0, 0, 64, 0, 0, 0, [], 0, True]], "uptime": None}),
        _head(series={"series": [["{} ", [0] * 10, 0, 0, 64, 0, 0, 0, [1 << 40], 0, True]], "uptime": None}),
        _head(series={"series": [], "uptime": [1]}),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(PeerError):
        decode(body, now=0.0)
