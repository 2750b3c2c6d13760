"""A tariff at another level of prices: the one place that knows which of its figures are money."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bess._arrays import number
from bess.tariff.export_rates import ExportRates
from bess.tariff.series import PriceSeries

if TYPE_CHECKING:
    from bess.tariff.model import Tariff

__all__ = ["scaled"]


def scaled(tariff: Tariff, factor: float) -> Tariff:
    """The tariff with all money multiplied; see `Tariff.scaled`."""
    by = number(factor, "factor", minimum=0.0)
    if by == 1.0:
        return tariff
    return replace(
        tariff,
        rates=tuple(
            replace(
                _priced(rate, by), prices=None if rate.prices is None else rate.prices.times(by)
            )
            for rate in tariff.rates
        ),
        demand_rates=tuple(_priced(rate, by) for rate in tariff.demand_rates),
        fixed_charges=tuple(replace(c, amount=c.amount * by) for c in tariff.fixed_charges),
        minimum_charges=tuple(replace(c, amount=c.amount * by) for c in tariff.minimum_charges),
        true_up_price_per_kwh=tariff.true_up_price_per_kwh * by,
        series=_series(tariff.series, by),
    )


def _priced(rate: Any, by: float) -> Any:
    """An energy or demand rate with its price, or those of its bands, multiplied."""
    bands = tuple(replace(band, price=band.price * by) for band in rate.bands)
    return replace(rate, price=rate.price * by, bands=bands)


def _series(
    series: PriceSeries | ExportRates | None, by: float
) -> PriceSeries | ExportRates | None:
    if series is None:
        return None
    if isinstance(series, ExportRates):
        price = series.price * by
        price.setflags(write=False)
        return replace(series, price=price)
    return series.times(by)
