"""Plots the exact programme's time: against horizon, battery duration, windows and price noise.

    python benchmarks/plot_dynamic_program.py [FILE.svg]

Each point is a synthetic home solved from the problem to its flows and its bound, which proves it:
the least and the worst of several runs, in CPU time. Writes benchmarks/dynamic_program.svg.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import bess
from bess import _core
from bess.unit import units_of

RUNS = 15
GREY, BLUE, RED = "#777", "#2166ac", "#b2182b"
Point = tuple[float, float, float]


def measured(
    steps: int, hours: float = 2.7, windows: int = 0, noise: float = 0.1, negative: bool = False
) -> tuple[float, float]:
    """Least and worst milliseconds for a battery of so many hours at prices of so much noise."""
    rng = np.random.default_rng(steps)
    day = 2 * np.pi * np.arange(steps) / 24
    load = np.maximum(1 + 0.5 * np.sin(day - 2) + rng.normal(0, 0.3, steps), 0.1)
    solar = np.maximum(-3 * np.cos(day), 0.0) * rng.uniform(0.3, 1, steps)
    price = 0.1 + 0.05 * np.sin(2 * day) + noise * rng.normal(0, 0.1, steps)
    price -= 0.045 if negative else 0.0
    buy = price if negative else np.maximum(price, 0.001)
    site = bess.Site(load_kwh=load, solar_kwh=solar, start="2025-01-01T00:00Z")
    battery = bess.Battery(capacity_kwh=5 * hours, charge_power_kw=5, discharge_power_kw=5)
    every = steps // windows if windows else steps
    asked = [(t, 2.5 * hours, 5.0 * hours) for t in range(every - 1, steps, every)]
    device = units_of(site, battery, (), {})[0].core_device(1.0, asked)
    problem = _core.Problem(site._core, [device], buy, buy, False)
    times = []
    for _ in range(RUNS):
        began = time.process_time()
        found = _core.solve_dynamic_program(problem)
        times.append(1000 * (time.process_time() - began))
    assert found is not None
    flows, _, _, bound = found
    cost = buy @ (flows[0] + flows[1]) - buy @ (flows[4] + flows[7])
    assert abs(cost - bound) <= 1e-12 * (abs(buy) @ (flows[0] + flows[1] + flows[4] + flows[7]))
    return min(times), max(times[1:])


def series(values: list[float], solve: Callable[[float], tuple[float, float]]) -> list[Point]:
    """Times for each value: what it is, the least, the worst."""
    return [(value, *solve(value)) for value in values]


def panel(x: int, y: int, what: str, lines: dict[str, tuple[str, list[Point]]]) -> str:
    """One plot, both axes logarithmic; the worst run is the thin line above."""
    width, height = 300, 190
    every = np.array([point for _, points in lines.values() for point in points])
    low = np.log10([every[:, 0].min(), every[:, 1].min()]) - 0.05
    high = np.log10([every[:, 0].max(), every[:, 2].max()]) + 0.1

    def at(value: float, milliseconds: float) -> str:
        across, up = (np.log10([value, milliseconds]) - low) / (high - low)
        return f"{x + across * width:.1f},{y + height - up * height:.1f}"

    parts = [
        f'<path d="M{x},{y} V{y + height} H{x + width}" stroke="{GREY}" fill="none"/>',
        f'<text x="{x}" y="{y - 10}" font-weight="bold">ms against {what}</text>',
    ]
    for value in sorted(set(every[:, 0])):
        place, _ = at(value, 10 ** low[1]).split(",")
        parts.append(
            f'<text x="{place}" y="{y + height + 14}" text-anchor="middle">{value:g}</text>'
        )
    for exponent in range(int(np.ceil(low[1])), int(np.floor(high[1])) + 1):
        _, place = at(10 ** low[0], 10.0**exponent).split(",")
        parts.append(f'<text x="{x - 4}" y="{place}" text-anchor="end">{10.0**exponent:g}</text>')
    for i, (name, (colour, points)) in enumerate(lines.items()):
        for column, thickness in ((1, 1.8), (2, 0.5)):
            drawn = " ".join(at(point[0], point[column]) for point in points)
            parts.append(
                f'<polyline points="{drawn}" fill="none" stroke="{colour}" '
                f'stroke-width="{thickness}"/>'
            )
        last = points[-1]
        said = f"{name}: {last[1]:.3g} at {last[0]:g}"
        parts.append(f'<text x="{x + 8}" y="{y + 12 + 14 * i}" fill="{colour}">{said}</text>')
    return "\n".join(parts)


def draw() -> str:
    """Everything measured, as SVG."""

    def both(
        values: list[float], solve: Callable[..., tuple[float, float]]
    ) -> dict[str, tuple[str, list[Point]]]:
        return {
            "all steps convex": (BLUE, series(values, solve)),
            "with negative prices": (RED, series(values, lambda v: solve(v, negative=True))),
        }

    year = 8760
    panels = [
        (
            "steps",
            both([168, 744, 2190, 8760, 35040, 175200], lambda v, **k: measured(int(v), **k)),
        ),
        (
            "hours of the battery (a year of hours)",
            both([0.25, 1, 4, 12, 48], lambda v, **k: measured(year, hours=v, **k)),
        ),
        (
            "windows in the year",
            both([1, 12, 52, 365, 4380], lambda v, **k: measured(year, windows=int(v), **k)),
        ),
        (
            "price noise (1: as large as the price)",
            both([1e-3, 0.01, 0.1, 1.0], lambda v, **k: measured(year, noise=v, **k)),
        ),
    ]
    body = [panel(50 + 370 * (i % 2), 40 + 260 * (i // 2), *p) for i, p in enumerate(panels)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 540" font-family="sans-serif" '
        'font-size="11">\n<rect width="760" height="540" fill="white"/>\n' + "\n".join(body) + "\n"
        f'<text x="50" y="530" fill="{GREY}">CPU time of one core; thick: least of {RUNS} runs, '
        "thin: worst</text>\n</svg>\n"
    )


if __name__ == "__main__":
    beside = Path(__file__).with_name("dynamic_program.svg")
    Path(sys.argv[1] if len(sys.argv) > 1 else beside).write_text(draw(), "utf-8")
