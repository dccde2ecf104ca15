"""Moves over from other programs: what their files say becomes devices, and both are compared."""
