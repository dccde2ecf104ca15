"""Searches for devices: jobs, schedule, and what becomes of the inventory."""
