"""The core's billing determinants agree with the slow ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference_settlement
from hypothesis import given
from hypothesis import strategies as st

from bess import _core

energies = st.floats(0, 1e6)


def runs(bins: list[int]) -> tuple[Any, Any]:
    change = np.flatnonzero(np.diff(bins)) + 1
    start = np.concatenate([[0], change, [len(bins)]]).astype(np.int32)
    return start, np.array(bins, np.int32)[start[:-1]]


@given(st.lists(st.tuples(energies, energies, st.integers(0, 5)), min_size=1, max_size=60))
def test_energy_and_peaks_by_bin_agree_with_the_reference(
    steps: list[tuple[float, float, int]],
) -> None:
    imports, exports, bins = (list(column) for column in zip(*steps, strict=True))
    found = _core.settle(np.array(imports), np.array(exports), *runs(bins), 6)
    slow = reference_settlement.settled(imports, exports, bins, 6)
    assert found == pytest.approx(slow, rel=1e-12)
    assert not found.flags.writeable


@given(st.data(), st.integers(1, 4))
def test_interval_peaks_agree_with_the_reference(data: st.DataObject, interval: int) -> None:
    imports = data.draw(st.lists(energies, min_size=1, max_size=60))
    first = data.draw(st.integers(1, interval))
    count = 1 + max(0, -((first - len(imports)) // interval))
    bins = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    found = _core.peak_demand(np.array(imports), first, interval, *runs(bins), 4)
    slow = reference_settlement.peaks(imports, first, interval, bins, 4)
    assert found == pytest.approx(slow, rel=1e-12)


def test_bins_without_steps_hold_nothing() -> None:
    ones = np.ones(3)
    found = _core.settle(ones, ones, *runs([2, 2, 0]), 4)
    assert found.tolist() == [[1, 0, 2, 0], [1, 0, 2, 0], [1, 0, 1, 0]]
