"""What storage is worth over its life: bills before, with solar and after, and cash flows."""

from bess.economics.analysis import savings
from bess.economics.scenarios import Parts, Savings, Scenario

__all__ = ["Parts", "Savings", "Scenario", "savings"]
