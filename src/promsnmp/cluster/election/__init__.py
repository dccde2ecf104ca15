"""Leader election: the rules of one candidate, what runs them, and the backends."""
