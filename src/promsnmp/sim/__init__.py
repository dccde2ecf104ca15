"""Simulated SNMP agents, for the demo, the tests and the benchmarks: real datagrams, no real devices."""
