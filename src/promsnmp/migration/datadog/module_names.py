"""The names of modules that are made of profiles."""

from __future__ import annotations

import re

_OTHER = re.compile(r"[^a-z0-9_]+")


def module_name(profile: str) -> str:
    """The module of a profile, which may be named by its file: ``cisco-nexus.yaml`` is ``datadog_cisco_nexus``."""
    stem = profile.strip().lower().rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
    return f"datadog_{_OTHER.sub('_', stem).strip('_')}"
