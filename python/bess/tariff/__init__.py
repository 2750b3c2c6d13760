"""Tariffs: what a kWh costs and earns, from a published tariff or as plain prices.

`load_tariff` tells the form: Arcadia/Genability JSON (`bess.tariff.genability`), a CSV of prices or
a small JSON form of them (`bess.tariff.series_files`).
"""

from __future__ import annotations

from bess.tariff.loading import load_tariff
from bess.tariff.model import EnergyRate, Tariff
from bess.tariff.series import PriceSeries

__all__ = ["EnergyRate", "PriceSeries", "Tariff", "load_tariff"]
