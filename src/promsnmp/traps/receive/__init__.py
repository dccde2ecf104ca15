"""From datagrams to accepted notifications: the listener, its limits, decoding, security, acknowledgements."""
