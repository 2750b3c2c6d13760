"""Loading a tariff, whatever its form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from bess._json import read_json
from bess.errors import InputError, Problem
from bess.tariff.holiday_calendars import Calendar, NamedCalendar, calendar_of
from bess.tariff.model import Tariff
from bess.timeline import zone

__all__ = ["load_tariff"]

_NO_TARIFF: Final = (
    "is no tariff: it has neither rates (Arcadia/Genability), nor an energyratestructure (OpenEI "
    "URDB), nor an importPrice (prices by step)"
)
_ARGUMENTS: Final = ("property_inputs", "variable_rates", "calendars", "missing", "time_zone")


def load_tariff(
    source: str | Path | Mapping[str, Any] | Sequence[Any] | Tariff,
    *,
    property_inputs: Any = None,
    variable_rates: Mapping[str, Any] | None = None,
    calendars: Mapping[Any, Collection[date | str] | str | NamedCalendar] | None = None,
    missing: Literal["error", "zero"] = "error",
    time_zone: str | None = None,
    strict: bool = False,
) -> Tariff:
    """The tariff in a file or an object.

    Parameters
    ----------
    source
        A path to JSON, CSV or our own TOML (`bess.tariff.toml_form`), or the object of a JSON: an
        Arcadia/Genability tariff (alone, in a list of one, or in a response's ``results``), an
        OpenEI URDB record (alone, or in a response's ``items``), or the small form of a price
        series (``importPrice`` …). A `Tariff` is returned as it is.
    property_inputs
        What is known of the customer: a mapping of keys to values, or a list of ``keyName`` and
        ``dataValue``; ``territoryId`` among them. One not given takes the tariff's default.
    variable_rates
        Prices per kWh of rates that name a ``variableRateKey``, by that key: a number; prices by
        step, as many as the horizon has; or a mapping (a pandas Series) of instants to prices.
    calendars
        The holidays of each calendar, by its id: dates (or ISO 8601 texts), or the name of a
        calendar such as "NERC", "US" or "US-CA", or a table of its ``of`` and ``names``
        (`bess.tariff.NamedCalendar`), worked out for the years that are billed.
    missing
        "error", or "zero": variable rates not given are 0 and calendars not given are empty, and
        the tariff's ``assumptions`` say so.
    time_zone
        The IANA zone of a tariff that names none.
    strict
        Refuse a tariff of which anything is ignored.

    Raises
    ------
    InputError
        Naming the field or the rate, and what would be valid: everything that bears on the bill and
        is not understood, every property, variable rate and calendar that is missing.

    >>> rates = [{"rateName": "Energy", "chargeType": "CONSUMPTION_BASED",
    ...           "transactionType": "BUY_IMPORT", "rateBands": [{"rateAmount": 0.3}]}]
    >>> load_tariff({"tariffId": 7, "rates": rates}).assumptions
    ('no rate pays for exports: export earns 0',)
    """
    if isinstance(source, Tariff):
        return source
    own_zone = None if time_zone is None else zone(time_zone).key
    days = _calendars(calendars)
    options = {"property_inputs": property_inputs, "variable_rates": variable_rates}
    if not isinstance(source, (str, Path)):
        tariff = _from_object(source, "tariff", {**options, "calendars": days, "missing": missing})
    else:
        path = Path(source)
        try:
            tariff = _from_file(path, {**options, "calendars": days, "missing": missing})
        except InputError as error:
            raise InputError(
                *(_in_file(problem, str(path)) for problem in error.problems)
            ) from None
        tariff = replace(tariff, identifiers=tariff.identifiers | {path.stem})
    if strict and tariff.ignored:
        raise InputError(*(Problem(f"tariff {tariff.name}", text) for text in tariff.ignored))
    return tariff if tariff.time_zone is not None else replace(tariff, time_zone=own_zone)


def _from_file(path: Path, options: Mapping[str, Any]) -> Tariff:
    from bess.tariff.series_files import read_series_csv
    from bess.tariff.toml_form import read_toml

    if path.suffix.lower() == ".json":
        return _from_object(read_json(path), path.stem, options)
    if path.suffix.lower() not in (".csv", ".toml"):
        raise InputError.at(str(path), "must be a tariff in .json or .toml, or prices in .csv")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError.at(str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError.at(str(path), f"is not UTF-8 text (byte {error.start})") from None
    if path.suffix.lower() == ".toml":
        return read_toml(text, str(path))
    return read_series_csv(text, str(path), path.stem)


def _from_object(obj: Any, name: str, options: Mapping[str, Any]) -> Tariff:
    from bess.tariff.genability import read_genability
    from bess.tariff.series_files import read_series_object
    from bess.tariff.urdb import read_urdb

    if isinstance(obj, Mapping):
        if "importPrice" in obj or "import_price" in obj:
            return read_series_object(obj, name)
        if "energyratestructure" in obj or "items" in obj:
            return read_urdb(obj)
        if "rates" not in obj and "results" not in obj:
            raise InputError.at("", _NO_TARIFF)
    elif not isinstance(obj, Sequence) or isinstance(obj, (str, bytes)):
        raise InputError.at("", "must be a tariff: a JSON object, or a list of one", obj)
    return read_genability(obj, **options)


def _in_file(problem: Problem, path: str) -> Problem:
    """A problem of a file's content, under the file's name; one of an argument as it is."""
    first = problem.path.replace("[", ".").split(".")[0]
    if first in _ARGUMENTS or problem.path.startswith(path):
        return problem
    return replace(problem, path=f"{path}: {problem.path}" if problem.path else path)


def _calendars(given: Any) -> dict[str, Calendar]:
    """Calendars by id as text."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InputError.at(
            "calendars", "must be an object of ids and lists of dates (or names)", given
        )
    return {str(key): calendar_of(days, f"calendars[{key!r}]") for key, days in given.items()}
