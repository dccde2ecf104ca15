"""``promsnmp traps`` and its commands."""
