"""Mutated devices and other JSON: read as written, or refused with an InputError."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_device import DEVICE

from bess.device import BessDevice
from bess.errors import InputError


def paths(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for key, child in items:
        found.append((*path, key))
        if isinstance(child, (dict, list)):
            found += paths(child, (*path, key))
    return found


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),  # JSON promises no more
    st.just(10**400),
    st.floats(),
    st.text(),
    st.sampled_from(["monday", "once", "weekly", "09:00", "UTC", "2025-01-01T00:00Z", "schedule"]),
)
names = st.sampled_from(["type", "schedule", "frequency", "time", "Name"]) | st.text()
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.sampled_from(paths(DEVICE)), anything | st.just(...)), max_size=3))
def test_mutated_devices_are_read_as_written_or_refused(changes: list[Any]) -> None:
    given: Any = copy.deepcopy(DEVICE)
    for path, value in changes:
        node = given
        try:
            for part in path[:-1]:
                node = node[part]
            if value is ...:
                del node[path[-1]]
            else:
                node[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    try:
        device = BessDevice.model_validate(given)
    except InputError as error:
        problems = error.problems
    else:
        assert device.model_dump(exclude_unset=True) == given
        return
    assert problems
    assert all(problem.path and problem.reason and str(problem) for problem in problems)


@given(anything)
def test_anything_else_is_refused(given: Any) -> None:
    with pytest.raises(InputError):
        BessDevice.model_validate(given)
