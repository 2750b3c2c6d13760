"""Profiles: reading them, placing them on a request's year; bills and series with gaps."""

from bess.profile.consumption import read_consumption
from bess.profile.placing import horizon, place
from bess.profile.reading import Profile, read_profile
from bess.profile.readings import Bills, GappedSeries

__all__ = [
    "Bills",
    "GappedSeries",
    "Profile",
    "horizon",
    "place",
    "read_consumption",
    "read_profile",
]
