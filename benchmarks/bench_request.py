"""Whole requests: profiles and tariff read, dispatched, three profiles answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bess

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.benchmark(group="a whole request, hourly year")
@pytest.mark.parametrize(
    ("name", "rounds"),
    [("charge_on_surplus", 5), ("fixed_schedule", 5), ("device_on_surplus", 5), ("optimize", 1)],
)
def bench_request(benchmark: Any, reached: Callable[..., None], name: str, rounds: int) -> None:
    request = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    response = benchmark.pedantic(
        lambda: bess.run_request(request, profiles=EXAMPLES, tariffs=EXAMPLES), rounds=rounds
    )
    reached(f"request {name}, hourly year")
    assert len(response.profiles) == 3
    assert len(response.flows) >= 10
