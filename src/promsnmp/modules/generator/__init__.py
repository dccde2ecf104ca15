"""Modules built from MIBs, as snmp_exporter's generator builds them."""
