"""Commands about the inventory: the file, devices, seeds, targets."""
