"""What the settings of replicas lead to, without a request."""

from __future__ import annotations

import logging

import pytest
from pydantic import SecretStr

from promsnmp.cluster.factory import open_coordinators
from promsnmp.settings import Settings


@pytest.mark.parametrize(("password", "warns"), [("change-me", True), ("9f8e7d6c5b4a3021a1b2c3d4", False)])
async def test_the_password_of_our_manifests_starts_with_a_warning(
    password: str, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "promsnmp")
    settings = Settings(redis_host="127.0.0.1", redis_password=SecretStr(password), pod_ip="127.0.0.1")
    coordinators = open_coordinators(settings, 8080)
    await coordinators.close()
    assert ("set another REDIS_PASSWORD in Redis and here" in caplog.text) is warns
    assert password not in caplog.text
