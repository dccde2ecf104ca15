"""Devices that SRV records list (RFC 2782): the target is a device's name and address, the port is that of its agent.

Priority and weight say nothing about devices to poll, and are ignored. A target of "." says that there is no service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from promsnmp.errors import SourceError
from promsnmp.inventory.address import normal_address, split_target
from promsnmp.inventory.model import AgentEndpoint
from promsnmp.settings.device_sources.definitions import DnsSource
from promsnmp.sources.model import MAX_DEVICES, Reading, SourceDevice, Unusable
from promsnmp.sources.readers.document import Defaults

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

PORT = 53


class DnsReader:
    """The devices of ``source.records``."""

    def __init__(self, source: DnsSource, defaults: Defaults) -> None:
        self._source = source
        self._defaults = defaults

    async def read(self) -> Reading:
        """Raises SourceError: for a name that does not exist, too, since that is more often a mistake than the end."""
        devices: dict[str, SourceDevice] = {}
        unusable: list[Unusable] = []
        resolver = self._resolver()
        for name in self._source.records:
            for host, port in await self._look_up(resolver, name):
                key = f"{host}:{port}"
                try:
                    devices[key] = self._device(key, host, port)
                except ValueError as error:
                    unusable.append(Unusable(key, f"{name}: {error}"))
            if len(devices) > MAX_DEVICES:
                raise SourceError(f"the source has more than {MAX_DEVICES:,} devices")
        return Reading(tuple(devices.values()), tuple(unusable))

    async def has_changed(self) -> bool:
        return False

    async def close(self) -> None:
        pass

    def _device(self, key: str, host: str, port: int) -> SourceDevice:
        if not port:
            raise ValueError(f"{host} has port 0")
        defaults = self._defaults
        return SourceDevice(
            key=key,
            endpoint=AgentEndpoint(normal_address(host), port),
            name=host,
            labels=defaults.with_own({}),
            modules=defaults.modules,
            credentials_name=defaults.credentials,
            overrides=defaults.overrides(),
        )

    def _resolver(self) -> Resolver:
        try:
            from dns.asyncresolver import Resolver
            from dns.exception import DNSException
            from dns.nameserver import Do53Nameserver
        except ImportError:
            raise SourceError("the package for sources of type dns is missing; run: pip install '.[dns]'") from None
        try:
            resolver = Resolver(configure=not self._source.servers)
            if self._source.servers:
                places = [split_target(server) for server in self._source.servers]
                resolver.nameservers = [Do53Nameserver(address, port or PORT) for address, port in places]
        except (DNSException, ValueError, OSError) as error:
            raise SourceError(f"the name servers cannot be used: {error}") from None
        resolver.lifetime = self._source.timeout / 1000
        resolver.cache = None
        return resolver

    async def _look_up(self, resolver: Resolver, name: str) -> list[tuple[str, int]]:
        """Host and port of each record, sorted: servers turn them round."""
        from dns.exception import DNSException, Timeout
        from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers

        try:
            answer = await resolver.resolve(name, "SRV", search=False)
        except NXDOMAIN:
            raise SourceError(f"{name} does not exist in DNS") from None
        except NoAnswer:
            raise SourceError(f"{name} has no SRV records") from None
        except (Timeout, NoNameservers) as error:
            what = "in time" if isinstance(error, Timeout) else "with a usable answer"
            raise SourceError(f"no name server answered for {name} {what}") from None
        except (DNSException, OSError, ValueError) as error:
            raise SourceError(f"{name} cannot be looked up: {type(error).__name__}") from None
        found = {(record.target.to_text(omit_final_dot=True), int(record.port)) for record in answer}
        return sorted(one for one in found if one[0] not in ("", "."))
