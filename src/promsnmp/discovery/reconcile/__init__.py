"""What a search found against what the inventory has: identity, claims, lost devices."""
