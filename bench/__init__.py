"""Benchmarks of PromSNMP against real programs; figures and commands are in README.md."""
