"""Reads tables of devices in delimited text."""
