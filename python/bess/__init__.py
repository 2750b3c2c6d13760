"""What a battery at a site will do, and what it is worth.

`dispatch` runs a `Battery` (or `BessDevice`) at a `Site` by a strategy: `Surplus`, `FixedSchedule`,
`Follow`, `PeakShave`, or `Optimize` against `Prices` or a tariff. `run_request` turns a storage
request into its three post-storage profiles.
"""

from bess.battery import Battery
from bess.device import BessDevice
from bess.dispatch import dispatch
from bess.errors import (
    BessError,
    InfeasibleError,
    InputError,
    MissingExtraError,
    Problem,
    SolverError,
)
from bess.policy import SchedulePolicy
from bess.prices import Prices
from bess.profile import Profile, read_profile
from bess.result import DeviceResult, Result, Violation
from bess.site import Site
from bess.storage import PostStorageProfile, StorageRequest, StorageResponse, run_request
from bess.strategy import FixedSchedule, Follow, Optimize, PeakShave, Surplus
from bess.tariff import Tariff, load_tariff
from bess.time_of_use import TimeOfUse
from bess.timeline import Timeline

__all__ = [
    "Battery",
    "BessDevice",
    "BessError",
    "DeviceResult",
    "FixedSchedule",
    "Follow",
    "InfeasibleError",
    "InputError",
    "MissingExtraError",
    "Optimize",
    "PeakShave",
    "PostStorageProfile",
    "Prices",
    "Problem",
    "Profile",
    "Result",
    "SchedulePolicy",
    "Site",
    "SolverError",
    "StorageRequest",
    "StorageResponse",
    "Surplus",
    "Tariff",
    "TimeOfUse",
    "Timeline",
    "Violation",
    "dispatch",
    "load_tariff",
    "read_profile",
    "run_request",
]
