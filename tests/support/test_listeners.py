from __future__ import annotations

import pytest

from promsnmp.support.listeners import Listeners


def test_listeners_are_called_in_order_with_what_notify_was_given() -> None:
    listeners, called = Listeners[[int]]("a test"), list[tuple[str, int]]()
    listeners.subscribe(lambda number: called.append(("first", number)))
    listeners.subscribe(lambda number: called.append(("second", number)))
    listeners.notify(7)
    assert called == [("first", 7), ("second", 7)]


def test_a_failing_listener_is_logged_and_the_others_are_still_called(caplog: pytest.LogCaptureFixture) -> None:
    listeners, called = Listeners[[]]("change of the weather"), list[str]()

    def fail() -> None:
        raise RuntimeError("broken")

    listeners.subscribe(fail)
    listeners.subscribe(lambda: called.append("called"))
    listeners.notify()
    assert called == ["called"]
    assert "change of the weather" in caplog.text
    assert caplog.text.count("Traceback") == 1
