"""Reads what health definitions need of a device, and adds their samples to its page."""
