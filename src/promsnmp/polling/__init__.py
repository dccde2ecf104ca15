"""Which device is polled when, the pages that come of it, and their cache."""
