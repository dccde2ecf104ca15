"""Reads configuration files and profiles of the Datadog agent."""
