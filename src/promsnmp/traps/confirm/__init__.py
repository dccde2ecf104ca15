"""What a trap causes: a poll of its device, and a comparison of what it said with what the poll found."""
