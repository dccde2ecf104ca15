"""Health definitions: which readings (CPU, memory, temperature, states, ...) a device's objects are, as data."""
