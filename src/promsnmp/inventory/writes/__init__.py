"""What one change does to the inventory, and who may write it."""
