"""What pages show of devices that other replicas poll."""
