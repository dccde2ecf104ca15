"""Which device is connected to which: read from pages, put together, and laid out as a map."""
