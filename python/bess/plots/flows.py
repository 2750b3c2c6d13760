"""Figures of energy: a week of flows, the state of charge by day and hour, the duration curve."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.errors import InputError
from bess.plots.style import COLOURS, SCALE, figure, graph_objects, styled
from bess.timeline import EPOCH_ORDINAL, Timeline, parse_instant

if TYPE_CHECKING:
    from bess.result import Result

__all__ = ["busiest_week", "duration_curve", "state_of_charge_map", "week"]

_DAY: Final = 86_400
_MOST_POINTS: Final = 1001
# What serves the load is drawn upwards, what goes elsewhere downwards.
_UP: Final = (
    ("solar_to_site_kwh_ac", "solar to site", "solar"),
    ("battery_to_site_kwh_ac", "battery to site", "battery"),
    ("grid_to_site_kwh_ac", "grid to site", "grid"),
)
_DOWN: Final = (
    ("solar_to_battery_kwh_dc", "solar to battery (DC)", "battery_light"),
    ("grid_to_battery_kwh_ac", "grid to battery", "grid_light"),
    ("solar_to_grid_kwh_ac", "solar to grid", "solar_light"),
    ("battery_to_grid_kwh_ac", "battery to grid", "loss"),
)


def week(result: Result, start: date | datetime | str | None = None, days: int = 7) -> Any:
    """Flows and state of charge of some days, as a plotly figure; see `Result.plot`."""
    fig = figure(
        "result.plot()",
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.06,
        row_heights=[0.7, 0.3],
    )
    objects = graph_objects("result.plot()")
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise InputError.at("days", "must be a whole number, 1 or more", days)
    timeline = result.site.timeline
    first = busiest_week(result, days) if start is None else _first_step(timeline, start)
    steps = slice(first, min(first + days * _DAY // timeline.step_seconds, timeline.steps))
    walls = _walls(timeline)[steps]
    hours = timeline.step_hours
    for flows, sign in ((_UP, 1.0), (_DOWN, -1.0)):
        for name, words, colour in flows:
            power = result.flows[name][steps] / hours
            if not power.any():
                continue
            fig.add_trace(
                objects.Bar(
                    x=walls,
                    y=np.round(sign * power, 4),
                    name=words,
                    marker={"color": COLOURS[colour], "line": {"width": 0}},
                    offset=0,
                    width=1000 * timeline.step_seconds,
                    hovertemplate=f"{words}: %{{y:.2f}} kW<extra></extra>",
                ),
                row=1,
                col=1,
            )
    boundaries = np.append(walls, walls[-1] + np.timedelta64(timeline.step_seconds, "s"))
    load = result.site.load_kwh[steps] / hours
    _line(fig, boundaries, np.append(load, load[-1]), "load", 1)
    soc = np.append(_stored_before(result, first), result.battery_soc[steps])
    _line(fig, boundaries, 100 * soc, "state of charge", 2)
    fig.update_yaxes(title_text="power (kW)", row=1, col=1)
    fig.update_yaxes(title_text="charge (%)", range=[0, 105], row=2, col=1)
    span = f"{_day(walls[0])} to {_day(walls[-1])}"
    return styled(
        fig,
        title=f"Flows, {span}",
        height=560,
        barmode="relative",
        bargap=0,
        hovermode="x unified",
    )


def state_of_charge_map(result: Result) -> Any:
    """The mean state of charge in each hour of the clock, days across and hours upwards."""
    timeline = result.site.timeline
    clock = timeline.clock()
    first, last = int(clock.day_number.min()), int(clock.day_number.max())
    shape = (24, last - first + 1)
    sums, counts = np.zeros(shape), np.zeros(shape)
    at = (clock.second_of_day // 3600, clock.day_number - first)
    np.add.at(sums, at, result.battery_soc)
    np.add.at(counts, at, 1.0)
    share = np.full(shape, np.nan)
    np.divide(100 * sums, counts, out=share, where=counts > 0)
    dates = np.arange(first, last + 1).astype("datetime64[D]")
    fig = figure("the map of the state of charge")
    fig.add_trace(
        graph_objects("the map of the state of charge").Heatmap(
            x=dates,
            y=np.arange(24),
            z=np.round(share, 2),
            zmin=0,
            zmax=100,
            colorscale=SCALE,
            colorbar={"title": {"text": "%"}, "thickness": 12},
            hovertemplate="%{x|%a %d %b %Y}, hour %{y}: %{z:.0f} %<extra></extra>",
        )
    )
    fig.update_yaxes(title_text="hour of the day", dtick=6, range=[-0.5, 23.5])
    return styled(fig, title="State of charge", height=340)


def duration_curve(result: Result) -> Any:
    """Net load (import less export), sorted from the highest: before, with solar, with storage."""
    site, hours = result.site, result.site.step_hours
    curves = [("load alone", site.load_kwh, "before")]
    if site.solar_kwh.any():
        net = site.load_kwh - site.solar_output_kwh
        least = 0.0 if not site.allow_solar_to_grid else -np.inf
        if site.export_limit_kwh is not None:
            net = np.maximum(net, -site.export_limit_kwh)
        curves.append(("load and solar", np.maximum(net, least), "solar"))
    curves.append(("with storage", result.net_load_kwh_ac, "battery"))
    fig = figure("the duration curve")
    for words, energy, colour in curves:
        share, power = _sorted(energy / hours)
        fig.add_trace(
            graph_objects("the duration curve").Scatter(
                x=share,
                y=np.round(power, 4),
                name=words,
                mode="lines",
                line={"color": COLOURS[colour], "width": 2.5},
                hovertemplate=f"{words}: %{{y:.2f}} kW<extra></extra>",
            )
        )
    fig.update_xaxes(title_text="share of the time (%)", range=[0, 100])
    fig.update_yaxes(title_text="net load (kW)")
    return styled(fig, title="Duration curve of net load", height=380, hovermode="x unified")


def busiest_week(result: Result, days: int = 7) -> int:
    """The first step of the days, from a local midnight on, in which the battery moves most."""
    timeline = result.site.timeline
    clock = timeline.clock()
    throughput = sum(
        np.asarray(result.flows[name])
        for name in ("solar_to_battery_kwh_dc", "grid_to_battery_kwh_ac")
    ) + (result.battery_to_site_kwh_ac + result.battery_to_grid_kwh_ac)
    starts = np.flatnonzero(np.diff(clock.day_number, prepend=clock.day_number[0] - 1))
    length = days * _DAY // timeline.step_seconds
    whole = starts[starts + length <= timeline.steps]
    if not len(whole):
        return 0
    summed = np.concatenate(([0.0], np.cumsum(throughput)))
    moved = np.round(summed[whole + length] - summed[whole], 6)
    return int(whole[int(np.argmax(moved))])


def _first_step(timeline: Timeline, start: date | datetime | str) -> int:
    """The first step of a local day, or from an instant on."""
    given: Any = start
    if isinstance(given, str) and len(given) == 10:
        try:
            given = date.fromisoformat(given)
        except ValueError:
            raise InputError.at("start", "must be a date, as in 2025-07-04", start) from None
    if isinstance(given, date) and not isinstance(given, datetime):
        number = given.toordinal() - EPOCH_ORDINAL
        found = np.flatnonzero(timeline.clock().day_number == number)
    else:
        seconds = parse_instant(given, "start").timestamp() - timeline.start_seconds
        step = int(seconds // timeline.step_seconds)
        found = np.array([step] if 0 <= step < timeline.steps else [], np.int64)
    if not len(found):
        low, high = timeline.instant(0), timeline.instant(timeline.steps)
        span = f"{low.isoformat()} to {high.isoformat()}"
        raise InputError.at("start", f"must lie in the horizon, {span}", start)
    return int(found[0])


def _walls(timeline: Timeline) -> NDArray[np.datetime64]:
    """What the site's clock shows at the start of every step."""
    clock = timeline.clock()
    seconds = clock.day_number * _DAY + clock.second_of_day
    return seconds.astype("datetime64[s]")


def _stored_before(result: Result, step: int) -> float:
    """The state of charge of all units together at the start of a step."""
    if step:
        return float(result.battery_soc[step - 1])
    stored = sum(unit.capacity_kwh * unit.initial_state_of_charge for unit in result.units)
    return stored / sum(unit.capacity_kwh for unit in result.units)


def _line(fig: Any, boundaries: Any, values: Floats, words: str, row: int) -> None:
    """The load, which keeps each value for its step, or the state of charge between steps."""
    is_load = words == "load"
    style: dict[str, Any] = {
        "line": {"color": COLOURS["load"], "width": 1.5, "shape": "hv"},
        "hovertemplate": "load: %{y:.2f} kW<extra></extra>",
    }
    if not is_load:
        style = {
            "line": {"color": COLOURS["battery"], "width": 2},
            "fill": "tozeroy",
            "fillcolor": "rgba(0, 158, 115, 0.15)",
            "hovertemplate": "state of charge: %{y:.0f} %<extra></extra>",
        }
    scatter = graph_objects("result.plot()").Scatter
    y = np.round(values, 4 if is_load else 2)
    fig.add_trace(scatter(x=boundaries, y=y, name=words, mode="lines", **style), row=row, col=1)


def _sorted(power: Floats) -> tuple[Floats, Floats]:
    """Power from the highest, and the share of time at which each is reached; thinned out."""
    falling = np.sort(power)[::-1]
    count = len(falling)
    at = np.unique(np.round(np.linspace(0, count - 1, min(count, _MOST_POINTS))).astype(int))
    return 100 * (at + 0.5) / count, falling[at]


def _day(wall: Any) -> str:
    moment = datetime(1970, 1, 1) + timedelta(seconds=int(wall.astype("datetime64[s]").astype(int)))
    return f"{moment:%d %b %Y}".lstrip("0")
