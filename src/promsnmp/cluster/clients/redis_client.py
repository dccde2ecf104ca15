"""Client of Redis: the only file that imports the library redis.

Every request is one Lua script, which Redis runs atomically. A script may be sent twice when the connection breaks, so
scripts must be idempotent. No call lasts longer than a few timeouts, whatever Redis does, no reply takes more than
``MAX_REPLY`` bytes, and whatever it is, the caller gets a result or a CoordinatorError.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from promsnmp.cluster.clients.redis_url import RedisAddress
from promsnmp.errors import CoordinatorError, SettingsError

log = logging.getLogger(__name__)

TIMEOUT = 2.0
"""Seconds to wait for an answer, and for a connection."""
MAX_REPLY = 1024 * 1024
"""Bytes of one reply. Those of our scripts have some kB."""
MAX_DEPTH = 8
"""Levels of lists in lists in one reply. Those of our scripts have two."""
MAX_ERROR = 200
"""Characters of an error that are shown."""


class Script:
    """A Lua script and its SHA-1, by which Redis knows it."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisClient:
    """Runs scripts on a Redis. Raises SettingsError when the library is missing, or rejects the address."""

    def __init__(self, address: RedisAddress, *, timeout: float = TIMEOUT) -> None:
        try:
            from redis import asyncio as library
            from redis import exceptions
        except ImportError:
            raise SettingsError(
                "ELECTION_BACKEND=redis needs the library redis; in the folder of the source, run: "
                "pip install '.[redis]'"
            ) from None
        self._no_script = exceptions.NoScriptError
        self._expected_errors = exceptions.RedisError, OSError, asyncio.IncompleteReadError
        try:
            self._client = _client(library, address, timeout)
            self._client.connection_pool.make_connection()  # does not connect, but rejects unknown options
        except (ValueError, TypeError, exceptions.RedisError):  # their texts may quote a part of the password
            raise SettingsError(
                "REDIS_URL is invalid: the port is not a number, or an option is unknown to redis-py; "
                "in a password, write %2F for /, %23 for #, %3F for ? and %40 for @"
            ) from None

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> object:
        """The result of the script; texts are bytes. It may be anything, so check it. Raises CoordinatorError."""
        call = (len(keys), *keys, *arguments)
        try:
            try:
                return await self._client.evalsha(script.digest, *call)
            except self._no_script:
                return await self._client.eval(script.text, *call)
        except Exception as error:  # the library raises whatever a strange reply leads to
            log.debug("a request to Redis failed", exc_info=True)
            raise CoordinatorError(self._text(error)) from None

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def _text(self, error: Exception) -> str:
        """The error in one line, for people, without the password, which some servers repeat."""
        text = str(error).partition(" script: ")[0][: 10 * MAX_ERROR]
        if secret := self._client.connection_pool.connection_kwargs.get("password"):
            text = text.replace(str(secret), "***")
        text = " ".join("".join(one if one.isprintable() else " " for one in text).split())[:MAX_ERROR]
        if not isinstance(error, self._expected_errors):
            return f"unexpected reply from Redis ({type(error).__name__}{': ' if text else ''}{text})"
        text = text or type(error).__name__
        wants_password = any(word in text.lower() for word in ("auth", "password"))  # redis.io/commands/auth
        return f"{text.rstrip('.')}; check REDIS_PASSWORD" if wants_password else text


def _client(library: Any, address: RedisAddress, timeout: float) -> Any:
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Broken

    own: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 1, supported_errors=(Broken,)),  # the server may have closed an idle connection
        "protocol": 2,
        "parser_class": _bounded_parser(),
    }
    if not address.sentinels:
        return library.Redis.from_url(address.url, **own)
    options = {**library.ConnectionPool.from_url(address.url).connection_kwargs, **own}
    options.pop("host", None)
    options.pop("port", None)
    options["ssl"] = address.url.startswith("rediss:")
    secure = {name: value for name, value in options.items() if name.startswith("ssl")}
    sentinel_kwargs = {**own, **secure, **address.sentinel_options}
    parser = sentinel_kwargs.pop("parser_class")  # no option of the client, but one of its connections
    sentinel: Any = Sentinel(address.sentinels, sentinel_kwargs=sentinel_kwargs, **options)  # type: ignore[no-untyped-call]  # no types
    for one in sentinel.sentinels:
        one.connection_pool.connection_kwargs["parser_class"] = parser
    return sentinel.master_for(address.service, library.Redis)


def _bounded_parser() -> type[Any]:
    """The library's parser of replies, with bounds: it would read a text of any length, and lists of any depth."""
    from redis._parsers.resp2 import _AsyncRESP2Parser
    from redis.exceptions import InvalidResponse

    class BoundedParser(_AsyncRESP2Parser):
        _left, _depth = MAX_REPLY, 0

        async def read_response(self, disable_decoding: bool = False) -> Any:
            self._left, self._depth = MAX_REPLY, 0
            return await super().read_response(disable_decoding=disable_decoding)

        async def _read_response(self, disable_decoding: bool = False) -> Any:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise InvalidResponse(f"a reply has more than {MAX_DEPTH} levels")
            result = await super()._read_response(disable_decoding)
            self._depth -= 1
            return result

        async def _read(self, length: int) -> bytes:
            self._spend(length + 2)
            return await super()._read(length)

        async def _readline(self) -> bytes:
            line = await super()._readline()
            self._spend(len(line) + 2)
            return line

        def _spend(self, length: int) -> None:
            self._left -= length
            if self._left < 0 or length < 0:
                raise InvalidResponse(f"a reply is larger than {MAX_REPLY // 1024} KiB, or has a negative length")

    return BoundedParser
