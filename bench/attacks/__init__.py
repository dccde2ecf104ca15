"""Attacks on a running PromSNMP: by devices, by clients, and the largest honest device; each is measured."""
