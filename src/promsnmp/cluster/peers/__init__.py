"""Requests between replicas: signed, forwarded, answered."""
