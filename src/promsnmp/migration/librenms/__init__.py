"""Reads the devices of LibreNMS."""
