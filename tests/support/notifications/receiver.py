"""An HTTP receiver for outputs: keeps what it gets, checks it as Loki and OTLP receivers do, and fails when told to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
ATTRIBUTE_VALUES = {"stringValue", "intValue", "boolValue", "doubleValue", "bytesValue"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {}, b"{}")


@dataclass(slots=True)
class Receiver:
    """Listens on a free port of this machine. ``answer`` decides; requests that it answers with 2xx are ``taken``."""

    answer: Callable[[Request], Answer] = lambda _: OK
    requests: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _writers: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)
    """By the task that serves the connection."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers.values():
            writer.close()
        if self._writers:
            await asyncio.wait(self._writers)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._writers[task] = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                request = Request(method, path, headers, await reader.readexactly(int(headers["content-length"])))
                self.requests.append(request)
                status, more, body = self.answer(request)
                if status // 100 == 2:
                    self.taken.append(request)
                lines = [
                    f"HTTP/1.1 {status} x",
                    f"content-length: {len(body)}",
                    *(f"{k}: {v}" for k, v in more.items()),
                ]
                writer.write("\r\n".join([*lines, "", ""]).encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            del self._writers[task]
            writer.close()


def loki(request: Request) -> Answer:
    """As Loki's push API: 204, or 400 with a reason in plain text."""
    if (request.method, request.path) != ("POST", "/loki/api/v1/push"):
        return 404, {}, b"404 page not found"
    if request.headers.get("content-type") != "application/json":
        return 415, {}, b"content type not supported"
    for stream in request.json["streams"]:
        labels = stream["stream"]
        if not labels or not all(LABEL.fullmatch(name) and isinstance(value, str) for name, value in labels.items()):
            return 400, {}, b"error at least one label pair is required per stream"
        for time, line in stream["values"]:
            if not (isinstance(time, str) and time.isdigit() and len(time) == 19 and isinstance(line, str)):
                return 400, {}, b"loghttp.PushRequest.Streams: readEntry: expected string"
    return 204, {}, b""


def otlp(request: Request) -> Answer:
    """As the OTLP receiver of the OpenTelemetry Collector: 200 with an ExportLogsServiceResponse, or 400."""
    if (request.method, request.path) != ("POST", "/v1/logs"):
        return 404, {}, b""
    if request.headers.get("content-type") != "application/json":
        return 415, {}, b""
    (resource,) = request.json["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    for record in scope["logRecords"]:
        known = {"timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "eventName", "body",
                 "attributes"}  # fmt: skip
        good = set(record) <= known and record["timeUnixNano"].isdigit() and 1 <= record["severityNumber"] <= 24
        for attribute in (*record["attributes"], *resource["resource"]["attributes"]):
            good = good and set(attribute) == {"key", "value"} and set(attribute["value"]) <= ATTRIBUTE_VALUES
        if not good:
            return 400, {}, b'{"code": 3, "message": "ReadObject: found unknown field"}'
    return 200, {"content-type": "application/json"}, b'{"partialSuccess":{}}'
