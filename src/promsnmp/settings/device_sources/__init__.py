"""Settings of sources of devices: the list ``sources`` of promsnmp.yml."""
