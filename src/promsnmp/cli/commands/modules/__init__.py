"""Commands about modules."""
