"""Reads settings: promsnmp.yml, the environment, credentials, values with units; and describes the file."""
