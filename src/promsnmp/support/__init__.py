"""Helpers that know nothing of SNMP or Prometheus."""
