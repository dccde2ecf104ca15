"""SNMPv3 with the user-based security model (RFC 3411 to 3418, RFC 7860)."""
