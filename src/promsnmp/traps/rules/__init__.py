"""Rules: severity, text, labels of notifications, and which of them belong together."""
