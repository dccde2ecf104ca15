"""Reads configuration files of Telegraf."""
