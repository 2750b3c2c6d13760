"""Draws method.svg from results: what a step costs, what energy is worth, and what is then stored.

python docs/method_figure.py
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import bess
from bess import _core
from bess.tariff import load_tariff
from bess.unit import units_of

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
FIRST, HOURS = 24 * 196, 72
"""Three days in July."""
HOUR = 20
"""Of the first day: the one whose cost is drawn."""
WIDTH, HEIGHT, PANEL, LEFT = 720, 640, 270, 44
BLUE, RED, GREY = "#2166ac", "#b2182b", "#777"
Points = Sequence[tuple[float, float]]


def panel(
    x: float, y: float, width: float, height: float, title: str, across: str, lines: list[tuple]
) -> str:
    """Axes, a title, what the x axis shows, and lines as (points, colour, name)."""
    every = [point for points, _, _ in lines for point in points]
    low = np.min(every, axis=0)
    high = np.max(every, axis=0)
    low[1] = min(low[1], 0.0)
    span = np.where(high > low, high - low, 1.0)

    def at(point: tuple[float, float]) -> str:
        across, up = (np.asarray(point) - low) / span
        return f"{x + across * width:.1f},{y + height - up * height:.1f}"

    parts = [
        f'<text x="{x}" y="{y - 8}" font-weight="bold">{title}</text>',
        f'<path d="M{x},{y} V{y + height} H{x + width}" stroke="{GREY}" fill="none"/>',
        f'<text x="{x + width}" y="{y + height + 28}" text-anchor="end">{across}</text>',
    ]
    for value in np.linspace(low[1], high[1], 3):
        place = y + height - (value - low[1]) / span[1] * height
        parts.append(f'<text x="{x - 4}" y="{place + 4:.1f}" text-anchor="end">{value:.2g}</text>')
    for value in np.linspace(low[0], high[0], 4):
        place = x + (value - low[0]) / span[0] * width
        parts.append(
            f'<text x="{place:.1f}" y="{y + height + 14}" text-anchor="middle">{value:.3g}</text>'
        )
    for i, (points, colour, name) in enumerate(lines):
        parts.append(
            f'<polyline points="{" ".join(map(at, points))}" fill="none" stroke="{colour}" '
            'stroke-width="1.6"/>'
        )
        parts.append(f'<text x="{x + 8}" y="{y + 12 + 14 * i}" fill="{colour}">{name}</text>')
    return "\n".join(parts)


def stairs(values: Sequence[float]) -> Points:
    """A value for each step, held through it."""
    return [(t + side, float(value)) for t, value in enumerate(values) for side in (0, 1)]


def draw() -> str:
    """The figure as SVG."""
    table = np.loadtxt(EXAMPLES / "fontana-home.csv", delimiter=",", skiprows=1, usecols=(1, 2))
    part = slice(FIRST, FIRST + HOURS)
    site = bess.Site(
        load_kwh=table[part, 0],
        solar_kwh=table[part, 1],
        start="2025-07-16T00:00-07:00",
        time_zone="America/Los_Angeles",
    )
    prices = load_tariff(EXAMPLES / "tariff_pge_e_elec.json").prices(site.timeline)
    buy, sell = prices.series(site.steps)

    def solved(start: float) -> bess.Result:
        battery = bess.Battery(
            capacity_kwh=10,
            charge_power_kw=3,
            discharge_power_kw=3,
            min_state_of_charge=0,
            initial_state_of_charge=start,
            terminal_state_of_charge="free",
        )
        return bess.dispatch(site, battery, bess.Optimize(engine="core"), prices=prices)

    result = solved(0.5)
    assert result.marginal_value is not None
    unit = units_of(site, bess.Battery(charge_power_kw=3, discharge_power_kw=3), (), {})[0]
    problem = _core.Problem(site._core, [unit.core_device(1.0, [])], buy, sell, False)
    pieces = _core.stage_cost(problem, HOUR)
    assert pieces is not None
    starts = np.linspace(0, 1, 101)
    worth = [(10 * s, float(solved(s).marginal_value[0])) for s in starts]  # type: ignore[index]
    energy = [(0.0, 5.0), *((t + 1.0, 10 * float(s)) for t, s in enumerate(result.battery_soc))]
    small = (PANEL, 150)
    body = [
        panel(
            *(LEFT, 40, *small, f"The cost of hour {HOUR}"),
            "change of stored energy, kWh",
            [(pieces[0], RED, "f(x), $")],
        ),
        panel(
            *(LEFT + PANEL + 90, 40, *small, "What one more kWh is worth at the start"),
            "energy stored at the start, kWh",
            [(worth, BLUE, "the slope list: −V′(s), $/kWh")],
        ),
        panel(
            *(LEFT, 260, 2 * PANEL + 90, 130, "Prices, and what stored energy is worth"),
            "hour",
            [
                (stairs(buy), RED, "import price, $/kWh"),
                (stairs(sell), GREY, "export price"),
                (stairs(result.marginal_value), BLUE, "worth µ of a stored kWh"),
            ],
        ),
        panel(
            *(LEFT, 460, 2 * PANEL + 90, 130, "What is then stored"),
            "hour",
            [(energy, BLUE, "stored energy, kWh")],
        ),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


if __name__ == "__main__":
    (HERE / "method.svg").write_text(draw(), "utf-8")
