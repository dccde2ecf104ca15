"""Log lines."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import pytest

from promsnmp.observe.logging import configure_logging


def _logged(*, level: str = "info", style: str = "text", name: str = "promsnmp.part", text: str = "hello") -> str:
    stream = io.StringIO()
    configure_logging(level=level, style=style, stream=stream)
    logging.getLogger(name).info("%s", text)
    return stream.getvalue()


def test_a_text_line_has_time_level_logger_and_message() -> None:
    time, level, name, message = _logged().split(" ")
    assert abs((datetime.fromisoformat(time) - datetime.now(UTC)).total_seconds()) < 60
    assert (level, name, message) == ("INFO", "promsnmp.part:", "hello\n")


def test_text_from_a_device_cannot_start_a_log_line() -> None:
    line = _logged(text="a\r\n2026-01-01 ERROR forged\x1b[31m\u2028b")
    assert line.count("\n") == 1
    assert line.endswith("a\\r\\n2026-01-01 ERROR forged\\x1b[31m\\u2028b\n")


def test_a_json_line_has_the_same_as_fields() -> None:
    record = json.loads(_logged(style="json", text="a\nb"))
    assert datetime.fromisoformat(record["timestamp"]).tzinfo is not None
    assert (record["level"], record["logger"], record["message"]) == ("INFO", "promsnmp.part", "a\nb")


def test_a_traceback_is_one_line_of_json() -> None:
    stream = io.StringIO()
    configure_logging(style="json", stream=stream)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("promsnmp").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: broken" in json.loads(line)["exc_info"]


@pytest.mark.parametrize("level", ["warning", "error"])
def test_lines_below_the_level_are_not_logged(level: str) -> None:
    assert _logged(level=level) == ""


def test_libraries_log_details_only_at_debug() -> None:
    assert _logged(name="uvicorn.error") == ""
    assert "uvicorn.error" in _logged(name="uvicorn.error", level="debug")


def test_clients_cannot_fill_the_log_with_broken_requests() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    assert stream.getvalue().endswith(" ERROR uvicorn.error: Exception in ASGI application\n")
    assert "Invalid" not in stream.getvalue()


def test_requests_are_never_logged() -> None:
    assert _logged(name="uvicorn.access", level="debug") == ""
