"""Reading plain price series: a CSV, or a small JSON form.

The CSV has a header with ``import_price`` and optionally ``export_price``, in money per kWh, and
optionally one column of time stamps (named as in `STAMP_COLUMNS`): with UTC offsets, or all of them
local times of the tariff's or the site's zone, the doubled hour of autumn appearing twice.
"""

from __future__ import annotations

import csv
import io
import math
import numbers
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BeforeValidator
from pydantic.alias_generators import to_camel

from bess._validation import CamelModel, TextInteger
from bess.errors import InputError, nearest_name
from bess.tariff.model import Tariff
from bess.tariff.series import PriceSeries
from bess.timeline import parse_instant, zone

__all__ = ["STAMP_COLUMNS", "read_series_csv", "read_series_object"]

STAMP_COLUMNS: Final = ("timestamp", "time", "datetime", "date_time", "date_time_local", "from")
_PRICE_COLUMNS: Final = ("import_price", "export_price")
_EARNS_NOTHING: Final = "no export_price is given: export earns 0"
_WALL_EPOCH: Final = datetime(1970, 1, 1)


def read_series_csv(text: str, path: str, name: str) -> Tariff:
    """The tariff of a CSV's prices; ``path`` is what its errors call it.

    >>> tariff = read_series_csv("import_price,export_price\\n0.3,0.1\\n0.5,0.1\\n", "a.csv", "a")
    >>> tariff.series.import_price.tolist()
    [0.3, 0.5]
    """
    lines = csv.reader(io.StringIO(text))
    try:
        header = next(lines, [])
        rows = [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError.at(f"{path}: line {lines.line_num}", f"is not CSV ({error})") from None
    columns = [cell.strip().lower().replace(" ", "_") for cell in header]
    ignored = _check_columns(columns, header, path)
    if not rows:
        raise InputError.at(path, "has no prices below its header")
    for line, row in rows:
        if len(row) != len(columns):
            reason = f"has {len(row)} cells where the header has {len(columns)}"
            raise InputError.at(f"{path}: line {line}", reason)
    prices: dict[str, list[float]] = {"export_price": [0.0] * len(rows)}
    placed: dict[str, Any] = {}
    for at, column in enumerate(columns):
        if column in _PRICE_COLUMNS:
            places = f"{path}: line {{}}, {column}"
            prices[column] = [_price(row[at], places.format(line)) for line, row in rows]
        elif column in STAMP_COLUMNS:
            placed = _placed([(line, row[at].strip()) for line, row in rows], path)
    return Tariff(
        name=name,
        assumptions=() if "export_price" in columns else (_EARNS_NOTHING,),
        ignored=ignored,
        series=PriceSeries(
            np.array(prices["import_price"]),
            np.array(prices["export_price"]),
            path=path,
            lines=tuple(line for line, _ in rows),
            **placed,
        ),
    )


def _check_columns(columns: Sequence[str], header: Sequence[str], path: str) -> tuple[str, ...]:
    """Refuse a header that cannot be meant; the columns that hold nothing we know are returned."""
    known = (*_PRICE_COLUMNS, *STAMP_COLUMNS)
    if "datestart" in columns and "value" in columns:
        reason = "is of export rates: add them to a tariff (load_export_rates, with_export_rates)"
        raise InputError.at(f"{path}: header", reason)
    if "import_price" not in columns:
        shown = ",".join(header) if len(header) < 20 else f"{len(header)} columns"
        raise InputError.at(
            f"{path}: header", "must name a column import_price (money per kWh)", shown
        )
    for column in set(columns):
        if columns.count(column) > 1:
            raise InputError.at(f"{path}: header", "names a column twice", column)
    stamps = [column for column in columns if column in STAMP_COLUMNS]
    if len(stamps) > 1:
        raise InputError.at(
            f"{path}: header", "must name at most one column of time stamps", ",".join(stamps)
        )
    ignored = []
    for column, spelled in zip(columns, header, strict=True):
        if column not in known:
            guess = nearest_name(column, known)
            hint = f" (did you mean {guess}?)" if guess else ""
            ignored.append(f"column {spelled.strip()!r} is not read{hint}")
    return tuple(ignored)


def _price(cell: str, path: str) -> float:
    try:
        value = math.nan if "_" in cell else float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError.at(path, "must be a number (money per kWh)", cell)
    return value


def _placed(stamps: Sequence[tuple[int, str]], path: str) -> dict[str, Any]:
    """Where the stamps of the rows put the prices in time: the fields of a `PriceSeries`."""
    if len(stamps) < 2:
        raise InputError.at(path, "needs two time stamps to tell how long a step is")
    moments = [_stamp(cell, f"{path}: line {line}") for line, cell in stamps]
    aware = moments[0].tzinfo is not None
    for moment, (line, cell) in zip(moments, stamps, strict=True):
        if (moment.tzinfo is not None) != aware:
            must = (
                "must have a UTC offset, as the first has" if aware else "must have no UTC offset"
            )
            raise InputError.at(f"{path}: line {line}", must, cell)
    epoch = parse_instant("1970-01-01T00:00Z", path) if aware else _WALL_EPOCH
    second = timedelta(seconds=1)
    seconds = np.array([(moment - epoch) // second for moment in moments], np.int64)
    rises = np.diff(seconds)
    step = int(np.median(rises))
    if step < 1:
        raise InputError.at(path, "its time stamps must rise from row to row", stamps[1][1])
    if not aware:
        return {"walls": seconds, "step_seconds": step}
    if (uneven := np.flatnonzero(rises != step)).size:
        line, cell = stamps[int(uneven[0]) + 1]
        raise InputError.at(
            f"{path}: line {line}", f"must be one step ({step} s) after the line before it", cell
        )
    return {"start_seconds": int(seconds[0]), "step_seconds": step}


def _stamp(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError.at(
            path, "must be an ISO 8601 date and time such as 2025-01-01T00:00", text
        ) from None
    return moment if moment.tzinfo is None else parse_instant(moment, path)


def _as_prices(value: Any) -> Any:
    """A list, tuple or array as a tuple of numbers; one number as itself."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(_as_price(price, f"[{i}]") for i, price in enumerate(value))
    return _as_price(value, "")


def _as_price(value: Any, path: str) -> float:
    """A price that JSON has as a number, or as a text."""
    if isinstance(value, str):
        return _price(value, path)
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not math.isfinite(value):
        raise InputError.at(path, "must be a number (money per kWh)", value)
    return float(value)


_Prices = Annotated[float | tuple[float, ...], BeforeValidator(_as_prices)]


class _SeriesTariff(CamelModel):
    """The small JSON form of a price series."""

    import_price: _Prices
    export_price: _Prices = 0.0
    from_date_time: str | None = None
    duration: TextInteger | None = None
    time_zone: str | None = None
    currency: str | None = None
    tariff_name: str | None = None
    tariff_id: str | int | None = None
    master_tariff_id: str | int | None = None


def read_series_object(obj: Mapping[str, Any], name: str = "tariff") -> Tariff:
    """The tariff of a price series in the small JSON form.

    >>> flat = read_series_object({"importPrice": 0.3, "tariffName": "Flat", "currency": "EUR"})
    >>> flat.name, flat.assumptions
    ('Flat', ('no export_price is given: export earns 0',))
    """
    given = _SeriesTariff.model_validate(obj)
    lists = [p for p in (given.import_price, given.export_price) if isinstance(p, tuple)]
    count = len(lists[0]) if lists else 1
    if () in lists:
        name = "import_price" if given.import_price == () else "export_price"
        raise InputError.at(_spelled(name, obj), "must hold at least one price", [])
    if lists and len(lists[-1]) != count:
        reason = f"has {len(lists[-1])} prices, {_spelled('import_price', obj)} {count}"
        raise InputError.at(_spelled("export_price", obj), reason)
    placed: dict[str, Any] = {"repeats": not lists}
    if (given.from_date_time is None) != (given.duration is None):
        names = ["from_date_time", "duration"]
        other, missing = names if given.duration is None else reversed(names)
        raise InputError.at(_spelled(missing, obj), f"is required where {_spelled(other, obj)} is")
    if given.from_date_time is not None and given.duration is not None and lists:
        placed |= _from_instant(
            given.from_date_time, given.duration, _spelled("from_date_time", obj)
        )
    return Tariff(
        name=given.tariff_name or name,
        identifiers=frozenset(
            str(i) for i in (given.tariff_id, given.master_tariff_id) if i is not None
        ),
        currency=given.currency,
        time_zone=None
        if given.time_zone is None
        else zone(given.time_zone, _spelled("time_zone", obj)).key,
        assumptions=() if "export_price" in given.model_fields_set else (_EARNS_NOTHING,),
        series=PriceSeries(
            import_price=np.broadcast_to(np.array(given.import_price), (count,)),
            export_price=np.broadcast_to(np.array(given.export_price), (count,)),
            path=name,
            **placed,
        ),
    )


def _from_instant(text: str, duration: int, path: str) -> dict[str, int]:
    """Where a start and a step in milliseconds put a series: fields of a `PriceSeries`."""
    if duration < 1000 or duration % 1000:
        raise InputError.at(
            "duration", "must be whole seconds, in milliseconds (1000 or more)", duration
        )
    since = parse_instant(text, path) - parse_instant("1970-01-01T00:00Z", path)
    if since % timedelta(seconds=1):
        raise InputError.at(path, "must be a whole second", text)
    return {"start_seconds": since // timedelta(seconds=1), "step_seconds": duration // 1000}


def _spelled(name: str, obj: Mapping[str, Any]) -> str:
    """A field as the caller spells the object's fields: snake case where that is given."""
    return name if name in obj or "import_price" in obj else to_camel(name)
