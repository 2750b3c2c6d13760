"""Tariffs as Arcadia (Genability) publishes them.

Read are ``CONSUMPTION_BASED`` rates by time of use, season and tier, and the charges of
`bess.tariff.charges`. Reactive power is listed in ``ignored``; every other rate that applies and is
not understood (formulas, dynamic times) is refused by name. Tiers of a rate with a time of use
count the whole consumption, those of others their own.

A rate's ``transactionType`` and ``chargePeriod`` say what it prices (`bess.tariff.settling`); a
``NET`` rate of class ``NON_BYPASSABLE`` prices imports alone. A price is the band's amount times
its ``calculationFactor``, negative for a credit; a selling rate states what an export earns, marked
as a credit or not. Limits of a rate with a ``variableLimitKey`` are multiples of that property, or
with ``demand`` kWh per kW of the billing period's peak.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from bess.errors import InputError, Problem
from bess.tariff.bands import Refused, applicable_bands, band_price, is_free
from bess.tariff.charges import Charge, charge_of, is_charge, not_billed, not_represented
from bess.tariff.genability_models import GenabilityTariff, Rate, questions
from bess.tariff.holiday_calendars import Calendar
from bess.tariff.model import Tariff
from bess.tariff.properties import PropertyInputs
from bess.tariff.rates import (
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
)
from bess.tariff.settling import Transactions
from bess.tariff.spelling import unread_keys
from bess.tariff.validity import bounded_validity
from bess.tariff.variable_rates import VariableRates
from bess.time_of_use import TimeOfUse, TouPeriod, missing_calendars
from bess.timeline import zone

__all__ = ["read_genability"]

_OLD_ZONES: Final = {
    "US/Alaska": "America/Anchorage",
    "US/Arizona": "America/Phoenix",
    "US/Central": "America/Chicago",
    "US/Eastern": "America/New_York",
    "US/Hawaii": "Pacific/Honolulu",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
}
"""Names that the format uses and that a small time zone database does not have."""


def read_genability(
    obj: Any,
    *,
    property_inputs: Any = None,
    variable_rates: Mapping[str, Any] | None = None,
    calendars: Mapping[str, Calendar] | None = None,
    missing: Literal["error", "zero"] = "error",
) -> Tariff:
    """The energy prices of a tariff object, of a list of one, or of a response that holds one.

    Arguments and errors are those of `bess.load_tariff`; paths start inside the tariff.
    """
    raw = _the_one(obj)
    tariff = GenabilityTariff.model_validate(raw)
    return _Reader(tariff, property_inputs, variable_rates, calendars or {}, missing).read(raw)


def _the_one(obj: Any) -> Any:
    """The tariff in a list of one, or in a response whose ``results`` are such a list."""
    path = ""
    if isinstance(obj, Mapping) and "results" in obj and "rates" not in obj:
        obj, path = obj["results"], "results"
        if not isinstance(obj, Sequence) or isinstance(obj, (str, bytes)):
            raise InputError.at(path, "must be a list of one tariff", obj)
    if isinstance(obj, Sequence) and not isinstance(obj, (str, bytes)):
        if len(obj) != 1:
            raise InputError.at(path, f"must hold one tariff, not {len(obj)}")
        return obj[0]
    return obj


class _Reader:
    """Reads one tariff, collecting everything that is wrong with it before it gives up."""

    def __init__(
        self,
        tariff: GenabilityTariff,
        property_inputs: Any,
        variable_rates: Mapping[str, Any] | None,
        calendars: Mapping[str, Calendar],
        missing: Literal["error", "zero"],
    ) -> None:
        self.tariff = tariff
        self.inputs = PropertyInputs.read(property_inputs, questions(tariff))
        self.variables = VariableRates.read(variable_rates, missing)
        self.calendars = calendars
        self.zero = missing == "zero"
        name = tariff.time_zone
        self.zone = None if name is None else zone(_OLD_ZONES.get(name, name), "timeZone").key
        self.problems: list[Problem] = []
        self.ignored: list[str] = []
        self.assumptions: list[str] = []
        self.transactions = Transactions()
        self.charges: list[Charge] = []

    def read(self, raw: Any) -> Tariff:
        tariff = self.tariff
        if tariff.service_type not in (None, "ELECTRICITY"):
            raise InputError.at("serviceType", "must be ELECTRICITY", tariff.service_type)
        effective = (
            self._instant(tariff.effective_date, "effectiveDate"),
            self._instant(tariff.end_date, "endDate"),
        )
        rates: list[EnergyRate] = []
        for i, rate in enumerate(tariff.rates):
            label = f"rates[{i}] {rate.rate_name or rate.rate_group_name or ''!r}"
            try:
                found = self._rate(rate, label, i)
                if isinstance(found, EnergyRate):
                    rates.append(found)
                elif found is not None:
                    self.charges.append(found)
            except Refused as refusal:
                self.problems.append(Problem(label, str(refusal)))
        known = [rate.variable_rate_key for rate in tariff.rates if rate.variable_rate_key]
        self._check_calendars(rates)
        self.problems += self.inputs.problems + self.variables.problems(known)
        if not self.problems and not any(rate.on_import for rate in rates):
            self.problems.append(Problem("rates", "hold no CONSUMPTION_BASED rate for imports"))
        if self.problems:
            raise InputError(*self.problems)
        self._note_what_was_assumed(rates)
        bounded, charges = bounded_validity(rates, self.charges)
        return Tariff(
            name=tariff.tariff_name or "tariff",
            identifiers=frozenset(i for i in (tariff.tariff_id, tariff.master_tariff_id) if i),
            currency=tariff.currency,
            time_zone=self.zone,
            assumptions=(
                *self.assumptions,
                *self.inputs.assumptions,
                *self.variables.assumptions(known),
            ),
            ignored=(*self.ignored, *unread_keys(raw)),
            rates=bounded,
            calendars=tuple(self.calendars.items()),
            effective=effective,
            demand_rates=tuple(c for c in charges if isinstance(c, DemandRate)),
            fixed_charges=tuple(c for c in charges if isinstance(c, FixedCharge)),
            minimum_charges=tuple(c for c in charges if isinstance(c, MinimumCharge)),
            percentages=tuple(c for c in charges if isinstance(c, PercentageRate)),
        )

    def _rate(self, rate: Rate, label: str, i: int) -> EnergyRate | Charge | None:
        """What a rate charges; None where it does not apply or is listed as ignored."""
        if not rate.rate_bands:
            self._pointer(rate, label, i)
            return None
        if what := not_billed(rate):
            self.ignored.append(f"{label}: {what}, not billed")
            return None
        if is_charge(rate) and is_free(list(enumerate(rate.rate_bands)), rate, self.variables):
            if rate.variable_rate_key is not None:
                self.variables.ask(rate.variable_rate_key)
            return None
        bands = applicable_bands(rate, self.tariff, self.inputs)
        if not bands:
            return None
        if reason := not_represented(rate):
            if is_free(bands, rate, self.variables):
                self.ignored.append(f"{label}: {rate.charge_type}, an amount of 0")
                return None
            raise Refused(reason)
        path = f"rates[{i}]"
        validity = (
            self._instant(rate.from_date_time, f"{path}.fromDateTime"),
            self._instant(rate.to_date_time, f"{path}.toDateTime"),
        )
        if is_charge(rate):
            return charge_of(rate, bands, label, path, self.inputs, self.variables, validity)
        on_import, on_export = self.transactions.sides(rate, path)
        priced, factor = band_price(bands, rate, self.inputs, self.variables, path, on_import)
        series = self.variables.series(rate.variable_rate_key)
        if series is not None:
            series = series.times(priced[0].price)
        one_price = len(priced) == 1 and series is None
        times = _times(rate)
        group = (
            rate.rate_group_name or "",
            ",".join(sorted(rate.charge_class)),
            rate.rider_tariff_id or "",
            repr(factor),
            *(() if times else (rate.rate_name or "",)),
        )
        shared = rate.time_of_use.tou_group_id if rate.time_of_use else None
        return EnergyRate(
            name=label,
            group=group,
            price=priced[0].price if one_price else 0.0,
            on_import=on_import,
            on_export=on_export,
            times=times,
            week=("touGroupId", shared) if shared else (),
            valid_from=validity[0],
            valid_to=validity[1],
            bands=priced if len(priced) > 1 else (),
            counts="own" if rate.time_of_use is None else "all",
            settlement=self.transactions.settlement(rate, len(priced) > 1, series is not None),
            charge_class=rate.charge_class,
            bypassable="NON_BYPASSABLE" not in rate.charge_class,
            time_of_use=rate.time_of_use.tou_name if rate.time_of_use else None,
            prices=series,
        )

    def _pointer(self, rate: Rate, label: str, i: int) -> None:
        """A rate without bands: it points to a rider, whose rates the tariff holds as well."""
        if rate.rider_id is None and rate.rider_tariff_id is None:
            raise InputError.at(f"rates[{i}].rateBands", "is required, with at least one band")
        for other in self.tariff.rates:
            same = other.rider_tariff_id in (rate.rider_id, rate.rider_tariff_id) or (
                rate.tariff_sequence_number is not None
                and rate.tariff_sequence_number == other.tariff_sequence_number
            )
            if other.rate_bands and other.rider_tariff_id is not None and same:
                return
        self.ignored.append(f"{label}: a rider whose own rates are not given")

    def _check_calendars(self, rates: Sequence[EnergyRate]) -> None:
        times = [t for rate in rates for t in rate.times if isinstance(t, TimeOfUse)]
        absent = ", ".join(missing_calendars(times, self.calendars))
        if absent and not self.zero:
            reason = f'needs the holidays of {absent} (or missing="zero" for none)'
            self.problems.append(Problem("calendars", reason))
        elif absent:
            self.assumptions.append(f"calendars not given have no holidays: {absent}")

    def _note_what_was_assumed(self, rates: Sequence[EnergyRate]) -> None:
        self.assumptions += self.transactions.notes()
        if not any(rate.on_export for rate in rates):
            self.assumptions.append("no rate pays for exports: export earns 0")

    def _instant(self, text: str | None, path: str) -> int | None:
        """Seconds since the epoch of a date or a date and time, local to the tariff's zone."""
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone(self.zone) if self.zone else UTC)
            return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
        except (ValueError, OverflowError):
            raise InputError.at(path, "must be an ISO 8601 date or date and time", text) from None


def _times(rate: Rate) -> tuple[TimeOfUse, ...]:
    """A rate's season and time of use; it holds where both do."""
    times: list[TimeOfUse] = []
    if rate.season is not None:
        whole_day = TouPeriod(from_hour=0, to_hour=0)
        times.append(TimeOfUse(season=rate.season, tou_periods=(whole_day,)))
    if rate.time_of_use is not None:
        times.append(rate.time_of_use)
    return tuple(times)
