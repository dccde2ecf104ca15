"""PromSNMP: SNMP devices into Prometheus, as a service."""

__version__ = "0.6.0"
