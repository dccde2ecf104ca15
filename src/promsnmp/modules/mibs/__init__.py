"""MIB files to a tree of objects."""
