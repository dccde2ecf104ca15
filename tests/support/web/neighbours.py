"""The text of pages with neighbours, as the modules lldp, cdp and bridge make it."""

from __future__ import annotations


def escaped(text: str) -> str:
    """As the value of a label."""
    clean = text.encode(errors="replace").decode()
    return clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def interface(number: int, name: str, speed: int = 1000) -> str:
    """The samples of an interface; ``speed`` in Mbit/s."""
    return f"ifHighSpeed{labels(number, name)} {speed}\nifOperStatus{labels(number, name)} 1\n"


def labels(number: int, name: str) -> str:
    """The labels of an interface's samples."""
    return f'{{ifAlias="",ifDescr="{name}",ifIndex="{number}",ifName="{name}"}}'


def own(chassis: str) -> str:
    """The chassis identifier of the device itself."""
    return f'lldpLocChassisId{{lldpLocChassisId="0x{chassis}"}} 1\n'


def lldp(number: int, port: str, name: str, remote_port: str, chassis: str = "", address: str = "") -> str:
    """A neighbour at the port ``number``."""
    common = (
        f'lldpLocPortDesc="{port}",lldpLocPortId="{port}",lldpRemIndex="1",lldpRemLocalPortNum="{number}",'
        f'lldpRemPortId="{escaped(remote_port)}",lldpRemSysName="{escaped(name)}",lldpRemTimeMark="0"'
    )
    text = f"lldpRemChassisIdSubtype{{{common}}} 4\n"
    if chassis:
        text += f'lldpRemChassisId{{{common},lldpRemChassisId="0x{chassis}"}} 1\n'
    if address:
        text += (
            f'lldpRemManAddrIfId{{lldpRemIndex="1",lldpRemLocalPortNum="{number}",lldpRemManAddr="{address}",'
            f'lldpRemTimeMark="0"}} 1\n'
        )
    return text


def cdp(number: int, name: str, remote_port: str, address: str) -> str:
    """A neighbour by CDP at the interface ``number``; ``address`` in hexadecimal digits."""
    at = f'cdpCacheDeviceIndex="1",cdpCacheIfIndex="{number}"'
    return (
        f'cdpCacheDeviceId{{{at},cdpCacheDeviceId="{escaped(name)}"}} 1\n'
        f'cdpCacheDevicePort{{{at},cdpCacheDevicePort="{escaped(remote_port)}"}} 1\n'
        f'cdpCacheAddress{{{at},cdpCacheAddress="0x{address}"}} 1\n'
    )


def learned(port: int, address: str) -> str:
    """A MAC address in the forwarding table."""
    return f'dot1dTpFdbPort{{dot1dTpFdbAddress="{address}"}} {port}\n'


def bridge_port(port: int, number: int, name: str) -> str:
    """The interface of a port of a bridge."""
    return f'dot1dBasePortIfIndex{{dot1dBasePort="{port}",ifDescr="{name}",ifName="{name}"}} {number}\n'
