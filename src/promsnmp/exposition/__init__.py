"""Varbinds and modules to samples and text. Pure: no event loop, no I/O."""
