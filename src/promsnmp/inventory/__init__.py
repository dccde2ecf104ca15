"""Which devices there are, how to reach them, and where that knowledge is kept."""
