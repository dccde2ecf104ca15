"""Devices from elsewhere (files, HTTP, DNS, NetBox, Nautobot), kept in step with the inventory; never the other way."""
