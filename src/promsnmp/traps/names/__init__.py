"""Names of notifications and of what they carry, from definitions in YAML."""
