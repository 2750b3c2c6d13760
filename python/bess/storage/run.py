"""From a storage request to its post-storage profiles: read, dispatch, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from bess.baselining.shapes import SHAPES
from bess.errors import InputError, Problem
from bess.prices import Prices
from bess.profile import Profile, place, read_profile
from bess.site import Site
from bess.storage.answer import answer
from bess.storage.consumption import Consumption
from bess.storage.dispatching import dispatch_request, strategy_of
from bess.storage.library import Entry, Library, profile_library, tariff_library
from bess.storage.request import ConsumptionReference, ProfileReference, StorageRequest
from bess.storage.response import StorageResponse
from bess.storage.spelling import Spelling
from bess.strategy import Optimize
from bess.tariff import Tariff, load_tariff
from bess.time_of_use import Calendars

__all__ = ["read_request", "run_request"]


def run_request(
    request: StorageRequest | Mapping[str, Any],
    profiles: Any,
    tariffs: Any = None,
    accounts: Mapping[str, Any] | None = None,
    *,
    variable_rates: Mapping[str, Any] | None = None,
    calendars: Calendars | None = None,
    missing: Literal["error", "zero"] = "error",
    progress: Callable[[str], None] | None = None,
) -> StorageResponse:
    """The answer to a storage request: its three post-storage profiles and all flows.

    Parameters
    ----------
    request
        A `StorageRequest` or its JSON object, in camel or snake case.
    profiles
        Where profile ids are looked up: a folder (``<id>.csv``, ``<id>.json``, ``<id>.xml``, or
        JSON files that hold the id), a mapping of ids to anything `read_profile` takes, or a list
        of profile JSON. The consumption may be anything that `baseline` takes.
    tariffs
        Where ``mainTariffId`` is looked up: a folder (of JSON, TOML or CSV files), a mapping of ids
        to anything `load_tariff` takes or to `Prices`, or a list of tariffs.
    accounts
        The tariff's id of each account, for requests without ``mainTariffId``.
    variable_rates, calendars, missing
        What a published tariff leaves open, as for `load_tariff`.
    progress
        Called with a few words before each long part of the work.

    >>> request = {"fromDateTime": "2025-06-01T12:00:00-07:00", "providerProfileId": "after",
    ...            "consumption": {"profileId": "home"}, "solar": {"profileId": "roof"},
    ...            "storage": {"dispatchStrategy": {"chargeOnSurplus": True}}}
    >>> response = run_request(request, profiles={"home": [1, 1], "roof": [3, 0]})
    >>> [profile.provider_profile_id for profile in response.profiles]
    ['after-usage', 'after-solar', 'after-storage']
    >>> response.flows["battery_to_site_kwh_ac"].round(6).tolist()
    [0.0, 1.0]

    Raises
    ------
    InputError
        With everything found wrong in the request, its profiles and its tariff.
    InfeasibleError, SolverError
        As `dispatch`.
    """
    asked = (
        request if isinstance(request, StorageRequest) else StorageRequest.model_validate(request)
    )
    spelling = Spelling(request)
    tell = progress or (lambda _: None)
    tell("reading profiles and tariff")
    options = {"variable_rates": variable_rates, "calendars": calendars, "missing": missing}
    inputs = _Inputs(asked, spelling, options)
    inputs.read(profile_library(profiles), tariff_library(tariffs), accounts or {})
    try:
        site, notes = inputs.site()
        years = "" if asked.savings is None else ", the years of its life"
        tell(f"dispatching {site.steps:,} steps{years}")
        result, savings = dispatch_request(
            asked, site, inputs.tariff, *inputs.other_tariffs, progress=tell
        )
    except InputError as error:
        raise spelling.retold(error) from None
    assumptions = [*inputs.notes, *notes, *result.assumptions]
    if savings is not None:
        assumptions += savings.assumptions
    currency = inputs.tariff.currency if isinstance(inputs.tariff, Tariff) else None
    return answer(asked, result, list(dict.fromkeys(assumptions)), currency, savings)


def read_request(
    request: Mapping[str, Any], profiles: Any, tariffs: Any, tariff_ids: Mapping[str, str]
) -> tuple[StorageRequest, Site, dict[str, Tariff | Prices | None], list[str]]:
    """A request, its site, its tariffs by their paths, and what was assumed of them.

    ``tariff_ids`` are ids, by the paths where they are asked for; without any the tariff is the
    request's own.

    Raises
    ------
    InputError
        With everything found wrong in the request, its profiles and its tariffs.
    """
    asked = StorageRequest.model_validate(request)
    spelling = Spelling(request)
    inputs = _Inputs(asked, spelling, {})
    library = tariff_library(tariffs)
    found: dict[str, Tariff | Prices | None]
    found = {path: inputs.named(library, path, name) for path, name in tariff_ids.items()}
    if found:  # the request needs none of its own
        own = asked.storage.model_copy(update={"main_tariff_id": next(iter(tariff_ids.values()))})
        inputs.request = asked.model_copy(update={"storage": own})
    inputs.read(profile_library(profiles), library, {})
    try:
        site, notes = inputs.site()
    except InputError as error:
        raise spelling.retold(error) from None
    return asked, site, found or {"": inputs.tariff}, [*inputs.notes, *notes]


class _Inputs:
    """What a request refers to, read: its profiles and its tariff, and notes on them."""

    def __init__(
        self, request: StorageRequest, spelling: Spelling, tariff_options: dict[str, Any]
    ) -> None:
        self.request = request
        self.spelling = spelling
        self.tariff_options = tariff_options
        self.tariff: Tariff | Prices | None = None
        self.other_tariffs: tuple[Tariff | Prices | None, Tariff | Prices | None] = (None, None)
        """Those that savings name for the scenarios before and with solar."""
        self.notes: list[str] = []
        self.consumption: Consumption | None = None
        self.solar: list[Profile] = []

    def read(self, profiles: Library, tariffs: Library, accounts: Mapping[str, Any]) -> None:
        """Read everything; raises one `InputError` with all that is wrong."""
        problems: list[Problem] = []
        request = self.request
        several = isinstance(request.solar, tuple)
        references: list[tuple[str, ProfileReference]] = [("consumption", request.consumption)]
        references += [
            (f"solar[{i}]" if several else "solar", reference)
            for i, reference in enumerate(request.solar_profiles)
        ]
        for path, reference in references:
            try:
                self._read_profile(profiles, path, reference)
            except InputError as error:
                problems += error.problems
        try:
            self.tariff = self._find_tariff(tariffs, accounts)
            asked = self.request.savings
            if asked is not None:
                self.other_tariffs = (
                    self._named_tariff(tariffs, "savings.beforeTariffId", asked.before_tariff_id),
                    self._named_tariff(tariffs, "savings.solarTariffId", asked.solar_tariff_id),
                )
        except InputError as error:
            problems += self.spelling.of_tariff(error).problems
        if problems:
            raise InputError(*dict.fromkeys(problems))

    def _read_profile(self, profiles: Library, path: str, reference: ProfileReference) -> None:
        ids = {
            "profileId": reference.profile_id,
            "providerProfileId": reference.provider_profile_id,
        }
        asked = {self.spelling.path(f"{path}.{key}"): name for key, name in ids.items() if name}
        entry = profiles.find(asked)
        zone = self.request.time_zone
        if isinstance(reference, ConsumptionReference):
            typical = self._typical(profiles, reference)
            start = self.request.from_date_time
            try:
                self.consumption = Consumption.read(
                    entry.source, typical, start=start, time_zone=zone, name=entry.label
                )
            except InputError as error:
                raise self.spelling.retold(error) from None
            notes = self.consumption.notes
        else:
            profile = read_profile(entry.source, role="solar", time_zone=zone, name=entry.label)
            self.solar.append(profile)
            notes = profile.notes
        self.notes += [f"{path}: {note}" for note in notes]

    def _typical(self, profiles: Library, reference: ConsumptionReference) -> Any:
        """The typical profile of a consumption: a shape's name, or a profile that has the id."""
        name = reference.typical_profile_id
        if name is None or name.lower() in SHAPES or name.lower().startswith("bdew"):
            return name
        entry = profiles.find({self.spelling.path("consumption.typicalProfileId"): name})
        return read_profile(
            entry.source, role="load", time_zone=self.request.time_zone, name=entry.label
        )

    def _find_tariff(self, tariffs: Library, accounts: Mapping[str, Any]) -> Tariff | Prices | None:
        request, storage = self.request, self.request.storage
        path = self.spelling.path("storage.mainTariffId")
        wanted = storage.main_tariff_id
        for account in (request.account_id, request.provider_account_id):
            if wanted is None and account is not None and account in accounts:
                wanted = str(accounts[account])
                path = f"accounts[{account!r}]"
                self.notes.append(f"tariff {wanted}: that of account {account}")
        if wanted is not None:
            entry = tariffs.find({path: wanted})
        else:
            entries = tariffs.all()
            if len(entries) > 1:
                names = ", ".join(entry.label for entry in entries)
                raise InputError.at(path, f"is required, for there are several tariffs: {names}")
            if not entries:
                if isinstance(strategy_of(self.request), Optimize):
                    raise InputError.at(path, "is required: optimize needs a tariff")
                return None
            entry = entries[0]
            self.notes.append(f"no mainTariffId: {entry.label}, the only tariff given, is used")
        return self._loaded(entry)

    def _named_tariff(
        self, tariffs: Library, path: str, wanted: str | None
    ) -> Tariff | Prices | None:
        if wanted is None:
            return None
        return self._loaded(tariffs.find({self.spelling.path(path): wanted}))

    def named(self, tariffs: Library, path: str, wanted: str) -> Tariff | Prices:
        """The tariff of an id that is asked for at a path."""
        return self._loaded(tariffs.find({path: wanted}))

    def _loaded(self, entry: Entry) -> Tariff | Prices:
        if isinstance(entry.source, Prices):
            return entry.source
        properties = [
            {"keyName": given.key_name, "dataValue": given.data_value}
            for given in self.request.storage.tariff_property_inputs
        ]
        return load_tariff(entry.source, property_inputs=properties or None, **self.tariff_options)

    def site(self) -> tuple[Site, list[str]]:
        """The site on the request's steps, and what had to be assumed."""
        request, storage = self.request, self.request.storage
        consumption = self.consumption
        assert consumption is not None
        timeline = consumption.horizon(self.solar, request.from_date_time, request.time_zone)
        load, assumed = consumption.place(timeline)
        notes = [f"consumption: {note}" for note in assumed]
        solar = np.zeros(timeline.steps)
        efficiency = storage.solar_dc_to_ac_efficiency
        dc = any(reference.side == "DC" for reference in request.solar_profiles)
        side: Literal["AC", "DC"] = "DC" if dc else "AC"
        for reference, profile in zip(request.solar_profiles, self.solar, strict=True):
            energy, note = place(profile, timeline, by_date=True)
            notes += [f"solar: {note}"] if note else []
            as_dc = dc and reference.side == "AC"
            solar += energy * (reference.data_factor / (efficiency if as_dc else 1.0))
            if reference.data_factor != 1:
                notes.append(f"solar: {profile.name} is multiplied by {reference.data_factor:g}")
        if request.time_zone is None:
            offset = request.from_date_time.isoformat()[-6:]
            notes.append(
                f"no timeZone: the site's clock stays at {offset} from UTC all year, without "
                "daylight saving time"
            )
        if not storage.dispatch_strategy.chosen:
            notes.append("no dispatchStrategy: optimize")
        site = Site(
            load_kwh=load,
            solar_kwh=solar,
            start=request.from_date_time,
            step_hours=timeline.step_hours,
            time_zone=request.time_zone,
            solar_side=side,
            solar_dc_to_ac_efficiency=efficiency,
            allow_solar_to_grid=storage.allow_solar_to_grid,
            export_limit_kwh=storage.export_limit_kwh_ac,
            import_limit_kwh=storage.import_limit_kwh_ac,
            inverter_limit_kw=storage.inverter_limit_kw_ac,
        )
        for tariff in (self.tariff, *self.other_tariffs):
            if isinstance(tariff, Tariff):
                notes += [f"tariff {tariff.name}: {it}" for it in tariff.ignored]
        return site, notes
