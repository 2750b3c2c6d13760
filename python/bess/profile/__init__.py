"""Interval profiles: reading them, placing them on a request's year, finding them by id."""

from bess.profile.placing import horizon, place
from bess.profile.reading import Profile, read_profile

__all__ = ["Profile", "horizon", "place", "read_profile"]
