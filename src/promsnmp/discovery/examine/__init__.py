"""What a device that answered is, and who its neighbours are."""
