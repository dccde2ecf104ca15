"""Devices to varbinds: BER, messages, sessions, SNMPv3. Knows nothing of Prometheus."""
