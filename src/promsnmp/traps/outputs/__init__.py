"""Outputs: where notifications are passed on to, each with a bounded queue."""
