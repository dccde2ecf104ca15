"""PromSNMP beside snmp_exporter: modules on recorded, mangled and generated devices."""
