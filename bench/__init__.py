"""Benchmarks: what PromSNMP costs, measured against real programs; figures and commands are in README.md."""
