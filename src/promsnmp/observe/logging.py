"""Log lines on stderr: text for people, JSON for log collectors.

All records go through the standard library's loggers, uvicorn's included, so that one handler and one format serve the
whole process. A message is always one line: text from a device or a client must not be able to start a new line.
Successful requests are not logged; the metrics count them.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

from promsnmp.observe.audit import LOGGER as AUDIT_LOGGER

LEVELS = ("debug", "info", "warning", "error")
QUIET_LOGGERS = {"uvicorn": "WARNING", "uvicorn.error": "ERROR", "asyncio": "WARNING"}
"""Minimum levels of libraries' loggers unless ours is ``debug``: below that they log internals, or (uvicorn.error) what
clients do wrong, and clients must not be able to fill a log."""

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))}
_ESCAPES |= {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def configure_logging(*, level: str = "info", style: str = "text", stream: TextIO | None = None) -> None:
    """Sends all log records of ``level`` and above to ``stream`` (stderr) as ``style`` (``text`` or ``json``)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_json_formatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("promsnmp").setLevel(level.upper())
    logging.getLogger(AUDIT_LOGGER).setLevel(logging.INFO)  # the audit log is always on
    for name, threshold in QUIET_LOGGERS.items():
        _route_to_root(name, "DEBUG" if level == "debug" else threshold)
    logging.getLogger("uvicorn.access").disabled = True


def _route_to_root(name: str, level: str) -> None:
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(level)


class TextFormatter(logging.Formatter):
    """``2026-01-31T12:00:00.123Z INFO promsnmp.app: message``; a traceback follows on further lines."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the base class's name
        return super().formatMessage(record).translate(_ESCAPES)


def _json_formatter() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter  # imported only when JSON is configured

    return JsonFormatter(
        ("levelname", "name", "message"), rename_fields={"levelname": "level", "name": "logger"}, timestamp=True
    )
