"""What a battery at a site will do, and what it is worth.

`dispatch` runs a `Battery` (or `BessDevice`) at a `Site` by a strategy: `Surplus`, `FixedSchedule`,
`Follow`, `PeakShave`, or `Optimize` against `Prices` or a tariff. `run_request` turns a storage
request into its three post-storage profiles. `baseline` makes a step series of bills, or of a
series with gaps. `bill` is what a site pays on a tariff, `savings` what storage is worth over its
life.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bess.battery import Battery
from bess.device import BessDevice
from bess.dispatch import dispatch
from bess.emissions import Emissions
from bess.errors import (
    BessError,
    ClusterError,
    InfeasibleError,
    InputError,
    MissingExtraError,
    Problem,
    SolverError,
)
from bess.forecast import Forecast
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.resilience import Resilience, outage_reserve, resilience
from bess.result import DeviceResult, Result, Violation
from bess.rolling import RollingResult, roll
from bess.site import Site
from bess.strategy import FixedSchedule, Follow, Optimize, PeakShave, Surplus
from bess.time_of_use import TimeOfUse
from bess.timeline import Timeline

if TYPE_CHECKING:
    from bess.baselining import Baseline, Origin, baseline
    from bess.economics import Savings, savings
    from bess.profile import Profile, read_profile
    from bess.sizing.size import size
    from bess.sizing.sized import Sizing
    from bess.storage import PostStorageProfile, StorageRequest, StorageResponse, run_request
    from bess.sweeping.costs import Costs
    from bess.sweeping.parameters import BatteryGrid
    from bess.sweeping.stored import read_sweep
    from bess.sweeping.sweep import sweep
    from bess.sweeping.table import SweepTable
    from bess.tariff import Tariff, load_tariff
    from bess.tariff.bill import Bill, bill

__all__ = [
    "Baseline",
    "Battery",
    "BatteryGrid",
    "BessDevice",
    "BessError",
    "Bill",
    "ClusterError",
    "Costs",
    "DeviceResult",
    "Emissions",
    "FixedSchedule",
    "Follow",
    "Forecast",
    "InfeasibleError",
    "InputError",
    "MissingExtraError",
    "Optimize",
    "Origin",
    "PeakShave",
    "PostStorageProfile",
    "Prices",
    "Problem",
    "Profile",
    "Resilience",
    "Result",
    "RollingResult",
    "Savings",
    "SchedulePolicy",
    "Site",
    "Sizing",
    "SolverError",
    "StorageRequest",
    "StorageResponse",
    "Surplus",
    "SweepTable",
    "Tariff",
    "TimeOfUse",
    "Timeline",
    "Violation",
    "baseline",
    "bill",
    "dispatch",
    "load_tariff",
    "outage_reserve",
    "read_profile",
    "read_sweep",
    "resilience",
    "roll",
    "run_request",
    "savings",
    "size",
    "sweep",
]

# Loaded when first used: who only dispatches need not wait for them.
_LATER = {
    "BatteryGrid": "bess.sweeping.parameters",
    "Bill": "bess.tariff.bill",
    "Costs": "bess.sweeping.costs",
    "Baseline": "bess.baselining",
    "Origin": "bess.baselining",
    "PostStorageProfile": "bess.storage",
    "Profile": "bess.profile",
    "Savings": "bess.economics",
    "Sizing": "bess.sizing.sized",
    "StorageRequest": "bess.storage",
    "StorageResponse": "bess.storage",
    "SweepTable": "bess.sweeping.table",
    "Tariff": "bess.tariff",
    "baseline": "bess.baselining",
    "bill": "bess.tariff.bill",
    "load_tariff": "bess.tariff",
    "read_profile": "bess.profile",
    "read_sweep": "bess.sweeping.stored",
    "run_request": "bess.storage",
    "savings": "bess.economics",
    "size": "bess.sizing.size",
    "sweep": "bess.sweeping.sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'bess' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
