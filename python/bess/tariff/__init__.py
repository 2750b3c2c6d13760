"""Tariffs: what a supplier charges and pays, from a published tariff, as prices, or in Python.

`load_tariff` tells the form: Arcadia/Genability JSON (`bess.tariff.genability`), an OpenEI URDB
record (`bess.tariff.urdb`), a CSV of prices or a small JSON form of them
(`bess.tariff.series_files`). A `Tariff` is made of the rates of `bess.tariff.rates`.
"""

from __future__ import annotations

from bess.tariff.export_rates import ExportRates, load_export_rates
from bess.tariff.holiday_calendars import NamedCalendar
from bess.tariff.hours import HourMatrix
from bess.tariff.loading import load_tariff
from bess.tariff.model import Tariff
from bess.tariff.rates import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    Ratchet,
)
from bess.tariff.series import PriceSeries

__all__ = [
    "Band",
    "DemandBand",
    "DemandRate",
    "EnergyRate",
    "ExportRates",
    "FixedCharge",
    "HourMatrix",
    "MinimumCharge",
    "NamedCalendar",
    "PercentageRate",
    "PriceSeries",
    "Ratchet",
    "Tariff",
    "load_export_rates",
    "load_tariff",
]
