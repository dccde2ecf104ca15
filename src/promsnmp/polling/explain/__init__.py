"""One poll of one device, explained."""
