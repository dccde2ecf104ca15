"""Senders of traps, and a receiver without a service."""
