"""What is kept of earlier polls of a device, for people: how they ended, rates of interfaces, errors and discards."""
