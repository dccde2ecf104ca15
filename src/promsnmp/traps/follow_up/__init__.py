"""What follows after a notification was passed on: other replicas, outputs and people hear what became of it."""
