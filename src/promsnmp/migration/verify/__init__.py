"""Compares the pages of snmp_exporter and PromSNMP, sample by sample."""
