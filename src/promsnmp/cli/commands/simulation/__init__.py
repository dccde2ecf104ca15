"""Simulated agents and the demo: sockets, addresses, and what is printed."""
