"""The encrypted inventory file and its key."""
