"""Looking at the objects of a device: names of OIDs, values for people, and modules made of what was found."""
