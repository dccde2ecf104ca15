"""PromSNMP beside snmp_exporter: every module of its snmp.yml on every recorded device."""
