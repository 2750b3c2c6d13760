"""How every figure looks: colours told apart without colour vision, plain axes, one font.

The colours are those of Okabe and Ito, Color Universal Design (2008), some of them lightened.
"""

from __future__ import annotations

from typing import Any, Final

from bess.errors import needs_extra

__all__ = ["COLOURS", "SCALE", "figure", "graph_objects", "styled"]

COLOURS: Final = {
    "grid": "#0072b2",
    "grid_light": "#56b4e9",
    "solar": "#e69f00",
    "solar_light": "#f0c75e",
    "battery": "#009e73",
    "battery_light": "#7fcfb8",
    "load": "#1f2933",
    "before": "#8a94a0",
    "loss": "#d55e00",
}
SCALE: Final = "Cividis"
"""A scale of colours for heat maps that rises evenly in lightness."""

_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
_LINES: Final = "#e4e7eb"


def graph_objects(feature: str) -> Any:
    """Plotly's graph objects; without the extra a `MissingExtraError` that names the feature."""
    with needs_extra(feature, "plots"):
        import plotly.graph_objects
    return plotly.graph_objects


def figure(feature: str, rows: int = 1, columns: int = 1, **layout: Any) -> Any:
    """An empty figure, or one of several panels."""
    objects = graph_objects(feature)
    if rows * columns == 1:
        return objects.Figure(**layout)
    from plotly.subplots import make_subplots

    return make_subplots(rows=rows, cols=columns, **layout)


def styled(fig: Any, *, title: str, height: int, **layout: Any) -> Any:
    """The figure in our style."""
    axis = {
        "gridcolor": _LINES,
        "linecolor": "#9aa5b1",
        "zerolinecolor": "#9aa5b1",
        "automargin": True,
        "title_standoff": 8,
        "title_font_size": 13,
    }
    fig.update_xaxes(**axis)
    fig.update_yaxes(**axis)
    fig.update_layout(
        template="none",
        title={
            "text": title,
            "x": 0,
            "xref": "paper",
            "y": 0.985,
            "yref": "container",
            "yanchor": "top",
            "font": {"size": 16},
        },
        font={"family": _FONT, "size": 13, "color": COLOURS["load"]},
        height=height,
        margin={"l": 52, "r": 12, "t": 84, "b": 44},
        paper_bgcolor="white",
        plot_bgcolor="white",
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12},
            "entrywidth": 124,
        },
        hoverlabel={"font": {"family": _FONT}},
        **layout,
    )
    return fig
