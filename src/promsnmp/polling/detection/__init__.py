"""What a device is and which modules suit it: found out, kept, stored."""
