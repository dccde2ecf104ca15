"""Credentials that agents use by name: their document, their changes, and the rule of names."""
