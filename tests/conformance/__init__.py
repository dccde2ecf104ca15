"""Compares PromSNMP with snmp_exporter: modules on recorded, mangled and generated devices."""
