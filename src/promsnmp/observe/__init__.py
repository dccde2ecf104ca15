"""PromSNMP's own metrics, health and logging."""
