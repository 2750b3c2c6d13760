"""Published tariffs in Arcadia/Genability JSON: their prices by time of use, season and side."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tariffs import SUMMER, WINTER, load, no_price, rate, series, tariff, tou

from bess.errors import InputError
from bess.tariff import load_tariff
from bess.timeline import Timeline, parse_instant

NEW_YORK_YEAR = Timeline(
    parse_instant("2025-01-01T00:00-05:00", "start"), 3600, 8760, "America/New_York"
)


def test_rates_of_different_groups_add_up() -> None:
    loaded = load(rate("distribution", 0.1), rate("supply", 0.05))
    assert series(loaded) == ([pytest.approx(0.15)] * 24, [0.0] * 24)
    assert loaded.assumptions == ("no rate pays for exports: export earns 0",)


def test_season_and_time_of_use_hold_together() -> None:
    peak = {"rateGroupName": "E", "season": SUMMER, "timeOfUse": tou(16, 21)}
    off = {"rateGroupName": "E", "season": SUMMER, "timeOfUse": tou(21, 16)}
    loaded = load(
        rate("peak", 0.6, **peak),
        rate("off", 0.4, **off),
        rate("winter", 0.3, rateGroupName="E", season=WINTER),
    )
    assert series(loaded)[0] == [0.4] * 16 + [0.6] * 5 + [0.4] * 3
    new_year = Timeline(parse_instant("2025-12-31T00:00Z", "start"), 3600, 48)
    assert series(loaded, new_year)[0] == [0.3] * 48


def test_a_net_rate_prices_imports_and_credits_exports_alike() -> None:
    loaded = load(rate("a", 0.2, transactionType="NET"), rate("b", 0.1))
    assert series(loaded) == ([pytest.approx(0.3)] * 24, [0.2] * 24)
    assert loaded.assumptions == ()


def test_a_net_rate_that_cannot_be_bypassed_is_not_credited() -> None:
    loaded = load(rate("a", 0.2, transactionType="NET", chargeClass="DISTRIBUTION,NON_BYPASSABLE"))
    assert series(loaded) == ([0.2] * 24, [0.0] * 24)
    assert loaded.assumptions[0] == "NON_BYPASSABLE rates are charged on imports, never credited"


@pytest.mark.parametrize("credit", [True, False, "true"])
def test_a_selling_rate_states_what_an_export_earns(credit: Any) -> None:
    sold = rate(
        "s", transactionType="SELL_EXPORT", rateBands=[{"rateAmount": "0.08", "isCredit": credit}]
    )
    assert series(load(rate("b", 0.3), sold)) == ([0.3] * 24, [0.08] * 24)


def test_a_credit_lowers_the_import_price() -> None:
    credit = rate("c", rateBands=[{"rateAmount": 0.02, "isCredit": True}])
    assert series(load(rate("b", 0.3), credit))[0] == [pytest.approx(0.28)] * 24


def test_a_price_is_multiplied_by_its_calculation_factor() -> None:
    taxed = rate("tax", rateBands=[{"rateAmount": 0.5, "calculationFactor": 0.1}])
    assert series(load(taxed))[0] == [0.05] * 24


def test_a_list_of_one_and_a_response_are_read_like_the_tariff_in_them() -> None:
    one = tariff(rate("a", 0.2))
    for source in (one, [one], {"status": "success", "count": 1, "results": [one]}):
        assert series(load_tariff(source))[0] == [0.2] * 24
    with pytest.raises(InputError, match="must hold one tariff, not 2"):
        load_tariff([one, one])


def test_a_price_that_changes_within_the_tariff_changes_on_its_day() -> None:
    old = rate("a", 0.2, fromDateTime="2025-01-01T00:00Z", toDateTime="2025-07-02T00:00Z")
    new = rate("a", 0.3, fromDateTime="2025-07-02T00:00Z", toDateTime="2026-01-01T00:00Z")
    days = Timeline(parse_instant("2025-07-01T00:00Z", "start"), 86_400, 2)
    assert series(load(old, new), days)[0] == [0.2, 0.3]
    other_year = Timeline(parse_instant("2031-07-01T00:00Z", "start"), 86_400, 2)
    assert series(load(old, new), other_year)[0] == [0.3, 0.3]


def test_the_old_names_of_zones_are_known_without_a_large_database() -> None:
    assert load(rate("a"), head={"timeZone": "US/Eastern"}).time_zone == "America/New_York"


def test_an_instant_without_an_import_price_is_named() -> None:
    summer = rate("a", season=SUMMER)
    october = Timeline(parse_instant("2025-09-30T00:00Z", "start"), 3600, 48)
    assert no_price(load(summer), october) == (
        "tariff T: no rate prices an import at 2025-10-01T00:00:00+00:00"
    )


def test_a_gap_between_the_alternatives_of_a_group_is_named() -> None:
    base = rate("base", 0.1)
    peak = rate("peak", rateGroupName="E", timeOfUse=tou(16, 21))
    off = rate("off", rateGroupName="E", timeOfUse=tou(22, 16))
    assert no_price(load(base, peak, off)) == (
        "tariff T: none of rates[1] 'peak', rates[2] 'off' holds at 2025-07-01T21:00:00+00:00"
    )


def test_two_rates_of_one_group_at_one_instant_are_named() -> None:
    peak = rate("peak", rateGroupName="E", timeOfUse=tou(16, 21))
    off = rate("off", rateGroupName="E", timeOfUse=tou(20, 16))
    assert no_price(load(peak, off)) == (
        "tariff T: rates[0] 'peak' and rates[1] 'off' are of one group and both hold at "
        "2025-07-01T20:00:00+00:00"
    )
    assert "both hold at 2025-07-01T00:00" in no_price(load(rate("same"), rate("same")))


def test_buying_and_selling_rates_of_one_group_are_no_alternatives() -> None:
    buy, sell = rate("b", 0.3, rateGroupName="E"), rate("s", 0.1, rateGroupName="E")
    hours = {"timeOfUse": tou(0, 0)}
    loaded = load(buy | hours, sell | hours | {"transactionType": "SELL_EXPORT"})
    assert series(loaded) == ([0.3] * 24, [0.1] * 24)


def test_a_holiday_that_one_time_of_use_takes_the_others_of_its_week_leave() -> None:
    peak = tou(16, 21, touGroupId=5)
    off = tou(21, 16, touGroupId=5, calendarId=61)
    rates = [
        rate("peak", 0.6, rateGroupName="E", timeOfUse=peak),
        rate("off", 0.4, rateGroupName="E", timeOfUse=off),
        rate("adder", 0.1, timeOfUse=peak),
    ]
    holiday = load(*rates, calendars={"61": ["2025-07-01"]})
    assert series(holiday)[0] == [0.4] * 24
    other = load(*rates, calendars={61: ["2025-07-02"]})
    assert series(other)[0] == [0.4] * 16 + [pytest.approx(0.7)] * 5 + [0.4] * 3


def published(shared_data: Path, name: str) -> Path:
    return shared_data / "tariffs" / "genability" / f"{name}_default_2025-01-01.json"


def psegli_price(moment: datetime, holiday: bool = False) -> float:
    """Worked out by hand: energy charge + power supply charge + merchant function charge."""
    summer = 6 <= moment.month <= 9
    peak = moment.weekday() < 5 and 15 <= moment.hour < 19 and not holiday
    if peak:
        return (0.2127 if summer else 0.1809) + 0.241457 + 0.001885
    return (0.1049 if summer else 0.0891) + 0.102959 + 0.001885


def test_psegli_has_the_right_price_in_every_hour_of_a_year(shared_data: Path) -> None:
    loaded = load_tariff(published(shared_data, "psegli"), missing="zero")
    imports, exports = loaded.prices(NEW_YORK_YEAR).series(8760)
    expected = [psegli_price(moment) for moment in NEW_YORK_YEAR.timestamps]
    np.testing.assert_allclose(imports, expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(imports, exports)
    assert loaded.identifiers == {"3493559", "3439408", "psegli_default_2025-01-01"}
    hours = {(m.month in range(6, 10), m.weekday(), m.hour) for m in NEW_YORK_YEAR.timestamps}
    assert len(hours) == 2 * 168


def test_psegli_is_off_peak_on_the_holidays_of_its_calendar(shared_data: Path) -> None:
    variables = {
        "distributedEnergyResourcesCostRecoveryRateSmall": 0.001,
        "securitizationOffsetCharge": -0.02,
        "securitizationCharge200": 0.02,
        "newYorkStateAssessment": 0,
        "revenueDecouplingMechanismResidential200": 0,
        "deliveryServiceAdjustment200": 0,
    }
    loaded = load_tariff(
        published(shared_data, "psegli"),
        variable_rates=variables,
        calendars={61: ["2025-07-04", "2025-12-25"]},
        property_inputs={"territoryId": 3711},
    )
    assert not any("taken as 0" in text for text in loaded.assumptions)
    imports, _ = loaded.prices(NEW_YORK_YEAR).series(8760)
    expected = [
        psegli_price(moment, (moment.month, moment.day) in {(7, 4), (12, 25)}) + 0.001
        for moment in NEW_YORK_YEAR.timestamps
    ]
    np.testing.assert_allclose(imports, expected, rtol=0, atol=1e-12)


def test_psegli_names_what_it_needs_and_what_it_leaves_out(shared_data: Path) -> None:
    path = published(shared_data, "psegli")
    with pytest.raises(InputError) as caught:
        load_tariff(path)
    assert str(caught.value) == (
        'calendars: needs the holidays of 61 (or missing="zero" for none)\n'
        "property_inputs.territoryId: is required to choose among the tariff's rates: one of 3711 "
        "(Outside Suffolk County), 3567 (Suffolk County)\n"
        "variable_rates: must give the prices of distributedEnergyResourcesCostRecoveryRateSmall, "
        "newYorkStateAssessment, revenueDecouplingMechanismResidential200, "
        "securitizationOffsetCharge, securitizationCharge200, deliveryServiceAdjustment200 (or "
        'missing="zero")'
    )
    assert load_tariff(path, missing="zero").ignored == ()


def test_nimo_asks_for_its_territory_and_then_prices_every_hour(shared_data: Path) -> None:
    path = published(shared_data, "nimo")
    with pytest.raises(InputError, match=r"territoryId: is required .* 3628 \(Adirondack"):
        load_tariff(path, missing="zero")
    loaded = load_tariff(path, property_inputs={"territoryId": "3631"}, missing="zero")
    plain, _ = series(loaded)
    inputs = {"territoryId": 3631, "greenUpProgramChoice": "100PercentSterlingGreen"}
    green, _ = series(load_tariff(path, property_inputs=inputs, missing="zero"))
    np.testing.assert_allclose(np.subtract(green, plain), 0.035, atol=1e-12)


def test_bge_adds_up_its_flat_rates_and_pepco_its_tax_on_them(shared_data: Path) -> None:
    bge = load_tariff(published(shared_data, "bge"), missing="zero")
    assert series(bge)[0] == [pytest.approx(0.04751 + 0.00062 + 0.003356 + 0.00254)] * 24
    inputs = {"territoryId": 3641}
    pepco = load_tariff(published(shared_data, "pepco"), property_inputs=inputs, missing="zero")
    summer = 0.0876 * (1 + 0.020408) + 0.0002 + 0.004
    assert series(pepco)[0] == [pytest.approx(summer)] * 24
