"""Which OIDs become which metrics: modules in the language of snmp.yml, and where they come from.

A new built-in module is a file ``builtin/NAME.yml``; its tables in ``auto_modules.py`` make ``auto`` choose it.
"""
