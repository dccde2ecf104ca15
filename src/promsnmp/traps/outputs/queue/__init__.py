"""Queues of outputs: in memory, or on disk, both bounded in bytes."""
