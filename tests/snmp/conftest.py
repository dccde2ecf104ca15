"""Each test of the decoder runs twice: compiled, and as plain Python."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.support.agents.decoders import (
    DECODERS,
)


@pytest.fixture(params=DECODERS, ids=["compiled", "plain"])
def decoder(request: pytest.FixtureRequest) -> ModuleType:
    return request.param  # type: ignore[no-any-return]
