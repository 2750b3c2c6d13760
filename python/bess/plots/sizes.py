"""Figures of what batteries are worth by size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bess._arrays import Floats
from bess.plots.style import COLOURS, SCALE, figure, graph_objects, styled

if TYPE_CHECKING:
    from bess.sizing.sized import Sizing

__all__ = ["surface_chart", "value_of_size"]

_WORDS = {
    "capacity_kwh": "capacity (kWh)",
    "power_kw": "power (kW)",
    "duration_hours": "duration (hours)",
    "net_present_value": "net present value",
}


def value_of_size(sizing: Sizing) -> Any:
    """Net present value over capacity and power, or over one of them; the best size marked."""
    surface = sizing.surface
    best = None
    if sizing.battery is not None:
        best = (sizing.capacity_kwh, sizing.power_kw, sizing.net_present_value)
    axes = [surface["capacity_kwh"], surface["power_kw"]]
    return surface_chart(
        ("capacity_kwh", "power_kw"),
        (axes[0], axes[1]),
        ("net_present_value", surface["net_present_value"]),
        best,
        money=sizing.currency or "money",
        title="Net present value by size",
    )


def surface_chart(
    names: tuple[str, str],
    axes: tuple[Floats, Floats],
    value: tuple[str, Floats],
    best: tuple[float, float, float] | None,
    *,
    money: str,
    title: str,
) -> Any:
    """A column over two others whose combinations are all there, as a map; over one, as a curve.

    ``best`` is the place to mark, and the value there.
    """
    x, y = (np.unique(axis) for axis in axes)
    words, values = _words(value[0]), value[1]
    across, up = _words(names[0]), _words(names[1])
    is_curve = len(x) == 1 or len(y) == 1 or len(x) * len(y) != len(values)
    fig = figure("the chart of sizes")
    objects = graph_objects("the chart of sizes")
    mark = {
        "symbol": "star",
        "size": 15,
        "color": COLOURS["loss"],
        "line": {"color": "white", "width": 1.5},
    }
    if is_curve:
        along = 1 if len(x) == 1 and len(y) > 1 else 0
        order = np.argsort(axes[along], kind="stable")
        fig.add_trace(
            objects.Scatter(
                x=axes[along][order],
                y=np.round(values[order], 6),
                name=words,
                mode="lines",
                line={"color": COLOURS["battery"], "width": 2.5},
                hovertemplate=f"{_words(names[along])} %{{x:,.2f}}: %{{y:,.2f}}<extra></extra>",
            )
        )
        if best is not None:
            _mark(fig, objects, best[along], best[2], mark, f"best: {best[2]:,.2f}")
        fig.update_xaxes(title_text=(across, up)[along])
        fig.update_yaxes(title_text=f"{words} ({money})")
    else:
        table = np.full((len(y), len(x)), np.nan)
        table[np.searchsorted(y, axes[1]), np.searchsorted(x, axes[0])] = values
        fig.add_trace(
            objects.Contour(
                x=x,
                y=y,
                z=np.round(table, 6),
                name=words,
                colorscale=SCALE,
                ncontours=24,
                line={"width": 0.5, "color": "rgba(255, 255, 255, 0.5)"},
                colorbar={"title": {"text": money}, "thickness": 12},
                hovertemplate=(
                    f"{across} %{{x:,.2f}}, {up} %{{y:,.2f}}: %{{z:,.2f}} {money}<extra></extra>"
                ),
            )
        )
        if best is not None:
            _mark(fig, objects, best[0], best[1], mark, f"best: {best[2]:,.2f}")
        fig.update_xaxes(title_text=across)
        fig.update_yaxes(title_text=up)
    return styled(fig, title=title, height=460, showlegend=False)


def _mark(fig: Any, objects: Any, x: float, y: float, mark: dict[str, Any], words: str) -> None:
    fig.add_trace(
        objects.Scatter(
            x=[x],
            y=[y],
            name="best",
            mode="markers",
            marker=mark,
            hovertemplate=f"{words}<br>at %{{x:,.2f}}, %{{y:,.2f}}<extra></extra>",
        )
    )


def _words(name: str) -> str:
    return _WORDS.get(name, name.replace("_", " "))
