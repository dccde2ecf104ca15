"""What an operator can set: ``Settings`` has all of it, each group in a file of its own."""

from promsnmp.settings.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
