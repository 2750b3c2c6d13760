"""What a person reads after a sweep: the best ten, as a table and on a page with the surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from bess.page import cards, chart, document
from bess.plots.sizes import surface_chart, value_of_size
from bess.sizing.sized import Sizing
from bess.sweeping.parameters import BatteryGrid
from bess.sweeping.request import SweepRequest
from bess.sweeping.table import SweepTable

__all__ = ["best_table", "sizes_table", "sweep_page"]

_UNITS: Final = {"_kwh": "kWh", "_kw": "kW", "_hours": "h"}
_LABELS: Final = ("site", "strategy", "tariff", "prices")


def best_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """Scenarios as rows."""
    table = Table(
        title=Text(title),
        title_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in _names(rows):
        heading = Text(_words(name))
        texts = [*_words(name).split(), *(_text(row[name]) for row in rows)]
        table.add_column(heading, justify="right", min_width=max(map(len, texts)))
    for i, row in enumerate(rows):
        cells = (Text(_text(row[name])) for name in _names(rows))
        table.add_row(*cells, style="bold" if i == 0 else None)
    return table


def sizes_table(sizings: Mapping[str, Sizing]) -> Table:
    """The best size of each case, a row each."""
    table = Table(
        title=Text("The best sizes"),
        title_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("")
    for heading in next(iter(sizings.values())).brief():
        table.add_column(heading, justify="right")
    for name, sizing in sizings.items():
        table.add_row(Text(name), *sizing.brief().values())
    return table


def sweep_page(asked: SweepRequest, table: SweepTable, sizings: Mapping[str, Sizing]) -> str:
    """One self-contained page: the best size, the surface of the sweep, the best ten.

    Raises
    ------
    MissingExtraError
        Without the extra ``plots``.
    """
    best = table.best(10)
    body = [
        f"<h1>{escape(asked.title)}</h1>",
        f'<p class="under">{table.scenarios:,} scenarios</p>',
    ]
    if best:
        names = sorted(_names(best), key=lambda name: name != "net_present_value")
        body.append(cards((_words(name), _text(best[0][name])) for name in names[:8]))
    body += _charts(asked, table, best)
    rows = [[_text(row[name]) for name in _names(best)] for row in best]
    body.append(_html(f"The best {len(best)}", [_words(name) for name in _names(best)], rows))
    if len(sizings) > 1:
        heads = ["", *next(iter(sizings.values())).brief()]
        rows = [[name, *sizing.brief().values()] for name, sizing in sizings.items()]
        body.append(_html("The best sizes", heads, rows))
    for name, sizing in sizings.items():
        fig = value_of_size(sizing)
        caption = "; ".join(f"{words}: {value}" for words, value in sizing.rows())
        fig.update_layout(title_text=f"Best size: {name}" if name else "Best size")
        body.append(chart(f"size-{len(body)}", fig, f"{caption}."))
    notes = "".join(f"<li>{escape(note)}</li>" for note in asked.assumptions or ("nothing",))
    body.append(f"<section><h2>Assumed</h2><ul>{notes}</ul></section>")
    return document(asked.title, body)


def _charts(
    asked: SweepRequest, table: SweepTable, best: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """The surface over the first two ranges, of the scenarios that are else as the best."""
    by = next((n for n in ("net_present_value", "cost", "import_kwh") if n in table), None)
    if not best or by is None or not isinstance(asked.batteries, BatteryGrid):
        return
    ranges = {name: values for name, values in asked.batteries.ranges.items() if len(values) > 1}
    wide = [name for name in ranges if table[name].dtype == np.float64][:2]
    if not wide:
        return
    same = np.ones(table.scenarios, np.bool_)
    for name in table:
        if name in ("site", "strategy", "tariff", "prices") or (
            name in ranges and name not in wide
        ):
            same &= table[name] == best[0][name]
    names = (wide[0], wide[-1])
    axes = (table[names[0]][same], table[names[1]][same])
    mark = (best[0][names[0]], best[0][names[1]], best[0][by])
    tariff = next((t for t in asked.tariffs.values() if t is not None), None)
    money = getattr(tariff, "currency", None) or ("kWh" if by == "import_kwh" else "money")
    if len(wide) == 1:
        axes = axes[0], np.zeros(len(axes[0]))
    title = f"{by.replace('_', ' ').capitalize()} by size"
    fig = surface_chart(names, axes, (by, table[by][same]), mark, money=money, title=title)
    yield chart("surface", fig, "The best of the sweep is marked; else as in the best scenario.")


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that tell something: no errors where there are none, and the bill once."""
    names = list(rows[0]) if rows else []
    if "error" in names and not any(row["error"] for row in rows):
        names.remove("error")
    if {"cost", "bill"} <= set(names) and all(row["cost"] == row["bill"] for row in rows):
        names.remove("cost")
    return names


def _text(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def _words(name: str) -> str:
    """A column's name with its unit as one writes it."""
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return f"{name.removesuffix(ending).replace('_', ' ')} ({unit})"
    return name.replace("_", " ")


def _html(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = ""
    for row in rows:
        lines += f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    return (
        f'<section><h2>{escape(title)}</h2><div class="wide"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{lines}</tbody></table></div></section>"
    )
