"""The parts of an Arcadia/Genability tariff that are read, and the names of some that are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, ConfigDict, model_validator

from bess._validation import CamelModel, ListOf, TextFlag, TextInteger, TextNumber
from bess.errors import InputError
from bess.tariff.properties import Property, as_text
from bess.time_of_use import Season, TimeOfUse

__all__ = [
    "SAYS_NOTHING",
    "Band",
    "GenabilityTariff",
    "PropertyDefinition",
    "Rate",
    "RateTimeOfUse",
    "Territory",
    "questions",
]


def _text(value: Any) -> Any:
    if value is None or (text := as_text(value)) is None:
        return value
    return text


def _classes(value: Any) -> Any:
    """Charge classes, which are published as a list or as one string with commas."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
        raise InputError.at("", "must be a string or a list of strings", value)
    return tuple(v.strip() for v in value if v.strip())


Text = Annotated[str | None, BeforeValidator(_text)]
"""A name or an id: a string, or a number as its string."""


class _Published(CamelModel):
    """A part of a published tariff: keys not known are left aside, null is as good as absent."""

    ignores_unknown: ClassVar[bool] = True
    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if value is not None}


class Band(_Published):
    """One price of a rate, perhaps for part of the consumption or for some customers."""

    rate_amount: TextNumber | None = None
    rate_unit: Text = "COST_PER_UNIT"
    is_credit: TextFlag = False
    calculation_factor: TextNumber = 1.0
    applicability_value: Text = None
    has_consumption_limit: TextFlag = False
    has_demand_limit: TextFlag = False
    has_property_limit: TextFlag = False
    consumption_upper_limit: TextNumber | None = None
    demand_upper_limit: TextNumber | None = None
    property_upper_limit: TextNumber | None = None


class Territory(_Published):
    """Where a rate applies."""

    territory_id: Text = None
    territory_name: Text = None


class RateTimeOfUse(TimeOfUse):
    """A rate's time of use; those of one group share out the week."""

    tou_group_id: Text = None
    tou_name: Text = None
    is_dynamic: TextFlag = False


class Rate(_Published):
    """A line of the tariff."""

    tariff_rate_id: Text = None
    rate_group_name: Text = None
    rate_name: Text = None
    rider_id: Text = None
    rider_tariff_id: Text = None
    tariff_sequence_number: TextInteger | None = None
    from_date_time: Text = None
    to_date_time: Text = None
    charge_type: Text = None
    charge_class: Annotated[tuple[str, ...], BeforeValidator(_classes)] = ()
    charge_period: Text = None
    transaction_type: Text = None
    quantity_key: Text = None
    variable_limit_key: Text = None
    variable_rate_key: Text = None
    variable_factor_key: Text = None
    applicability_key: Text = None
    applicability_value: Text = None
    has_applicability_formula: TextFlag = False
    territory: Territory | None = None
    season: Season | None = None
    time_of_use: RateTimeOfUse | None = None
    rate_bands: ListOf[Band] = ()


class Choice(_Published):
    """A value that a property can have."""

    data_value: Text = None
    value: Text = None
    display_value: Text = None


class PropertyDefinition(_Published):
    """A question the tariff asks about the customer."""

    key_name: Text = None
    property_value: Text = None
    is_default: TextFlag = False
    data_type: Text = None
    choices: ListOf[Choice] = ()


class GenabilityTariff(_Published):
    """The head of a tariff."""

    tariff_id: Text = None
    master_tariff_id: Text = None
    tariff_name: Text = None
    lse_name: Text = None
    service_type: Text = None
    territory_id: Text = None
    time_zone: Text = None
    currency: Text = None
    effective_date: Text = None
    end_date: Text = None
    properties: ListOf[PropertyDefinition] = ()
    rates: ListOf[Rate]


SAYS_NOTHING: Final[Mapping[type[CamelModel], frozenset[str]]] = {
    GenabilityTariff: frozenset(
        {
            *("tariffCode", "tariffType", "tariffBookName", "tariffBookCode", "priorTariffId"),
            *("lseId", "lseCode", "distributionLseId", "customerClass", "customerCount"),
            *("customerLikelihood", "customerCountSource", "privacy", "isActive", "closedDate"),
            *("effectiveOnRule", "billingPeriod", "chargeTypes", "chargePeriod"),
            *("minMonthlyConsumption", "maxMonthlyConsumption", "minMonthlyDemand"),
            *("maxMonthlyDemand", "hasTimeOfUseRates", "hasTieredRates", "hasContractedRates"),
            *("hasTariffApplicability", "hasRateApplicability", "hasNetMetering", "documents"),
            *("description", "note", "notes", "source"),
        }
    ),
    Rate: frozenset(
        {
            *("masterTariffRateId", "tariffId", "tariffBookSequenceNumber", "edgePredominance"),
            *("tariffBookRateGroupName", "tariffBookRateName", "riderTariffRateId"),
            *("prorationRules", "description", "note", "notes", "source"),
        }
    ),
    Band: frozenset(
        {
            *("tariffRateBandId", "tariffRateId", "rateSequenceNumber", "prevUpperLimit"),
            *("description", "note", "notes", "source"),
        }
    ),
}
"""Keys that bear on no price, so that leaving them aside needs no word."""


def questions(tariff: GenabilityTariff) -> list[Property]:
    """The properties that a tariff asks for, the first of each key."""
    found: dict[str, Property] = {}
    for definition in tariff.properties:
        if definition.key_name is None:
            continue
        choices = {
            value: choice.display_value or ""
            for choice in definition.choices
            if (value := choice.data_value or choice.value) is not None
        }
        if definition.data_type == "BOOLEAN" and not choices:
            choices = {"true": "", "false": ""}
        default = definition.property_value if definition.is_default else None
        own = Property(definition.key_name, default, tuple(choices.items()))
        found.setdefault(definition.key_name, own)
    return list(found.values())
