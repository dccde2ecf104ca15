"""What benchmarks poll and compare: simulated switches, and two exporters side by side."""
