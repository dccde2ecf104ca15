"""Clients of Redis and of the Kubernetes API."""
