"""The optimum where charges join the steps: cuts around the dynamic programme.

`coupled_rows` sorts a tariff's rows by what they join, `cut_master` and `trajectory_master` are the
two small programs between which the optimum is closed in, `loop` goes round, and `by_cuts` is the
door.
"""

from bess.decomposition.by_cuts import not_by_cuts, optimize_by_cuts
from bess.decomposition.recollection import Recollection

__all__ = ["Recollection", "not_by_cuts", "optimize_by_cuts"]
