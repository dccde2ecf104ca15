"""Reads the configuration of a Prometheus that scrapes snmp_exporter."""
