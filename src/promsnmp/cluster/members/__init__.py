"""Which replicas there are, and which of them owns a device."""
