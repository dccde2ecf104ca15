"""File descriptors and their shares."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from promsnmp.support.descriptors import (
    MIN_CONNECTIONS,
    MIN_POLLS,
    RESERVED,
    DescriptorShares,
    raise_limit,
    share,
)

CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, int(sys.argv[1])))
from promsnmp.support.descriptors import raise_limit
print(raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize("hard", [100, 512, 1024])
def test_the_soft_limit_is_raised_to_the_hard_one(hard: int) -> None:
    ran = subprocess.run([sys.executable, "-c", CODE, str(hard)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(hard), str(hard)]


def test_a_limit_that_is_high_enough_stays() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert raise_limit(min(soft, 50)) == soft
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == soft


def test_with_enough_descriptors_everything_is_as_wanted() -> None:
    assert share(65_536, polls=200, connections=4096, scrape_polls=1000) == DescriptorShares(4096, 1000)


@pytest.mark.parametrize("descriptors", [1024, 2048, 4096])
def test_with_too_few_nothing_exceeds_them(descriptors: int) -> None:
    shares = share(descriptors, polls=200, connections=4096, scrape_polls=1000)
    assert shares.connections >= MIN_CONNECTIONS
    assert shares.scrape_polls >= MIN_POLLS
    assert shares.connections + shares.scrape_polls + 200 + RESERVED <= descriptors


def test_even_with_hardly_any_there_are_some_of_each() -> None:
    assert share(128, polls=200, connections=4096, scrape_polls=1000) == DescriptorShares(MIN_CONNECTIONS, MIN_POLLS)
