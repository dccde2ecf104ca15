"""Files in the form of snmp_exporter's snmp.yml: read, checked, written."""
