"""The page of one device: identity, interfaces, neighbours, health, past polls; and its explanation."""
