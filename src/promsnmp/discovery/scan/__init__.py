"""The paced sweep over addresses: who answers, and to which credentials."""
