"""Random values of an inventory, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from promsnmp.inventory.model import PollOverrides

OVERRIDES = st.builds(
    PollOverrides,
    st.sampled_from([0, 1000, 86_400_000]),
    st.integers(0, 10_000),
    st.integers(0, 60),
    st.sampled_from(["", "gbk", "latin-1"]),
    st.sampled_from([None, False, True]),
)
