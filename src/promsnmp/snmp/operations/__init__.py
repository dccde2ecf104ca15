"""What a session asks an agent, as state machines without I/O: walks, GETs, presence of subtrees."""
