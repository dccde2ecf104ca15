"""Answers that several routes share: errors, negotiation, caching, compression."""
