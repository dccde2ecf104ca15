"""Alerts for Alertmanager: firing and resolving, repeated until they end."""
