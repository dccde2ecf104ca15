"""Which OIDs become which metrics: modules in the language of snmp.yml, and where they come from."""
