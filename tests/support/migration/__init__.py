"""Files of a Prometheus that scrapes snmp_exporter."""
