"""``promsnmp migrate``: its subcommands."""
