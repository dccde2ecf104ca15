"""Routes of sources of devices."""
