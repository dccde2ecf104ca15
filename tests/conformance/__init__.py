"""PromSNMP beside snmp_exporter: modules on recorded devices, mangled ones, and made-up ones."""
