"""Connections through proxies."""
