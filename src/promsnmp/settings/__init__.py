"""Settings from environment variables: ``Settings`` has all of them, each group has its own file."""

from promsnmp.settings.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
