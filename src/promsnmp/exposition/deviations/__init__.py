"""What agents send otherwise than MIBs say, and how it is read."""
