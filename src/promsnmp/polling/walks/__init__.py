"""Walks of single devices, for people who look at one."""
