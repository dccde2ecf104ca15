"""Traps and informs: received, checked, named, counted, confirmed by a poll, passed on."""
