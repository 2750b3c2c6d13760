from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Windows = list[tuple[int, float, float]]

class Battery:
    def __init__(
        self,
        *,
        capacity: float,
        minimum_energy: float,
        maximum_energy: float,
        initial_energy: float,
        charge_limit: float,
        discharge_limit: float,
        ac_to_dc_efficiency: float,
        dc_to_ac_efficiency: float,
        input_efficiency: float,
        degradation_cost: float,
        dc_coupled: bool,
        grid_to_battery: bool,
        battery_to_grid: bool,
        solar_to_battery: bool,
        retention: float = 1.0,
    ) -> None: ...

class Site:
    def __init__(
        self,
        load: Floats,
        solar: Floats,
        export_limit: Floats | None,
        import_limit: Floats | None,
        inverter_limit: Floats | None,
        solar_dc_to_ac_efficiency: float,
        solar_to_grid: bool,
    ) -> None: ...

class Corridor:
    @property
    def low(self) -> Floats: ...
    @property
    def high(self) -> Floats: ...
    @property
    def attained(self) -> Windows: ...
    @property
    def first_missed(self) -> int: ...
    @property
    def shortfall(self) -> float: ...
    @property
    def infeasible_step(self) -> int: ...

def make_corridor(
    site: Site, battery: Battery, windows: Windows, earliest_low: float, earliest_high: float
) -> Corridor: ...

class Rule:
    @staticmethod
    def surplus() -> Rule: ...
    @staticmethod
    def fixed_schedule(modes: NDArray[np.int8]) -> Rule: ...
    @staticmethod
    def follow(discharge: Floats) -> Rule: ...
    @staticmethod
    def peak_shaving(target: float) -> Rule: ...

def dispatch_rule(
    site: Site,
    battery: Battery,
    rule: Rule,
    windows: Windows,
    instruction_set: str | None = None,
) -> tuple[Floats | None, int, float]: ...
def instruction_sets() -> list[str]: ...

class Device:
    def __init__(
        self,
        battery: Battery,
        charging_priority: int,
        discharging_priority: int,
        windows: Windows,
        end_worth: Sequence[tuple[float, float]] = (),
    ) -> None: ...

def dispatch_shared(
    site: Site, devices: list[Device], rule: Rule
) -> tuple[Floats, Floats, int]: ...
def kept_at_end(site: Site, devices: list[Device]) -> list[float]: ...

class Problem:
    def __init__(
        self,
        site: Site,
        devices: list[Device],
        import_price: Floats,
        export_price: Floats,
        cyclic: bool,
        solar_metered_apart: bool = False,
    ) -> None: ...
    def at_prices(
        self,
        import_price: Floats,
        export_price: Floats,
        degradation_cost: float | None = None,
    ) -> Problem: ...

class LinearProgram:
    @property
    def column_cost(self) -> Floats: ...
    @property
    def tie_cost(self) -> Floats: ...
    @property
    def column_lower(self) -> Floats: ...
    @property
    def column_upper(self) -> Floats: ...
    @property
    def row_lower(self) -> Floats: ...
    @property
    def row_upper(self) -> Floats: ...
    @property
    def start(self) -> NDArray[np.int32]: ...
    @property
    def index(self) -> NDArray[np.int32]: ...
    @property
    def value(self) -> Floats: ...
    @property
    def integrality(self) -> NDArray[np.int32]: ...
    @property
    def energy_unit(self) -> float: ...
    @property
    def cost_unit(self) -> float: ...
    @property
    def offset(self) -> float: ...
    @property
    def has_flows(self) -> bool: ...
    def energy_column(self, step: int, device: int) -> int: ...

def build_linear_program(
    problem: Problem, exclusive: NDArray[np.uint8] | None
) -> LinearProgram: ...
def build_reduced_program(problem: Problem) -> LinearProgram | None: ...

class Coupling:
    def __init__(
        self,
        *,
        step_start: NDArray[np.int32],
        step_row: NDArray[np.int32],
        import_factor: Floats,
        export_factor: Floats,
        column_cost: Floats,
        column_lower: Floats,
        column_upper: Floats,
        integrality: NDArray[np.int32],
        start: NDArray[np.int32],
        index: NDArray[np.int32],
        value: Floats,
        row_lower: Floats,
        row_upper: Floats,
        offset: float,
        drawn_device: NDArray[np.int32] | None = None,
        drawn_row: NDArray[np.int32] | None = None,
        drawn_factor: Floats | None = None,
    ) -> None: ...
    column_cost: Final[Floats]
    column_lower: Final[Floats]
    column_upper: Final[Floats]
    integrality: Final[NDArray[np.int32]]
    start: Final[NDArray[np.int32]]
    index: Final[NDArray[np.int32]]
    value: Final[Floats]
    row_lower: Final[Floats]
    row_upper: Final[Floats]
    offset: Final[float]

class CutOracle:
    def __init__(
        self,
        step: NDArray[np.int32],
        column: NDArray[np.int32],
        room: Floats,
        factor: Floats,
        penalty: Floats,
    ) -> None: ...
    def start(self, problem: Problem) -> bool: ...
    def evaluate(self, columns: Floats) -> float: ...
    def cut(
        self, worth: Floats, starts: NDArray[np.uint32]
    ) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32], Floats]: ...
    @property
    def is_convex(self) -> bool: ...
    @property
    def cap(self) -> Floats: ...
    @property
    def penalty(self) -> Floats: ...
    @property
    def energy(self) -> Floats: ...
    @property
    def worth(self) -> Floats: ...
    @property
    def worth_of_cap(self) -> Floats: ...
    @property
    def limits(self) -> Floats: ...

class CostToGo:
    def __init__(self, start: float, end: float, value: float, slope: float) -> None: ...
    def corner_near(self, energy: float, rounding: float) -> float: ...
    def at(self, energy: float) -> float: ...
    def plus(self, more: float) -> CostToGo: ...
    def least_above(self, other: CostToGo) -> float: ...
    @property
    def error(self) -> float: ...

def least_of(costs: list[CostToGo], capacity: float) -> CostToGo: ...

class StretchProgram:
    def __init__(self, problem: Problem, first: int, low: Floats, high: Floats) -> None: ...
    def before(
        self, cap: Floats, more: Floats, most: Floats, later: CostToGo
    ) -> CostToGo | None: ...
    def schedule(
        self, cap: Floats, more: Floats, most: Floats, later: CostToGo, energy_before: float
    ) -> tuple[Floats, Floats, float] | None: ...

class SweepProgram:
    def __init__(
        self,
        site: Site,
        rule: Rule,
        grid_to_battery: bool,
        battery_to_grid: bool,
        run_start: NDArray[np.int32],
        run_bin: NDArray[np.int32],
        bins: int,
        buy: Floats | None = None,
        sell: Floats | None = None,
        windows: list[tuple[int, float, float]] = [],
        hours: bool = False,
    ) -> None: ...
    def run(
        self, batteries: Floats, instruction_set: str | None = None
    ) -> tuple[Floats, Floats]: ...

def sweep_optima(
    site: Site,
    import_price: Floats,
    export_price: Floats,
    batteries: Floats,
    run_start: NDArray[np.int32],
    run_bin: NDArray[np.int32],
    bins: int,
) -> tuple[Floats, Floats]: ...
def couple(program: LinearProgram, coupling: Coupling) -> LinearProgram: ...
def dual_bound(
    program: LinearProgram, row_dual: Floats, column_lower: Floats, column_upper: Floats
) -> float: ...
def recover(
    problem: Problem, program: LinearProgram, solution: Floats, simultaneous: bool
) -> tuple[Floats, Floats, NDArray[np.uint8], bool]: ...
def settle(
    import_energy: Floats,
    export_energy: Floats,
    run_start: NDArray[np.int32],
    run_bin: NDArray[np.int32],
    bins: int,
) -> Floats: ...
def peak_demand(
    import_energy: Floats,
    first: int,
    interval: int,
    run_start: NDArray[np.int32],
    run_bin: NDArray[np.int32],
    bins: int,
) -> Floats: ...
def solve_dynamic_program(problem: Problem) -> tuple[Floats, Floats, Floats, float] | None: ...
def size_cut(
    problem: Problem, largest: Problem
) -> tuple[float, float, float, float, int] | None: ...
def write_schedule(
    problem: Problem, energy: Floats, import_limit: Floats | None = None
) -> tuple[Floats, Floats, bool]: ...
def roll(
    actual: Problem,
    load: Floats,
    solar: Floats,
    load_stride: int,
    solar_stride: int,
    horizon: int,
    replan: int,
    first: int,
    last: int,
    energy: float,
) -> tuple[Floats, Floats, list[int], list[int]]: ...
def carry_out(
    site: Site, device: Device, first: int, energy: float, changes: Floats
) -> tuple[list[float], list[int]]: ...
def stage_cost(problem: Problem, step: int) -> list[list[tuple[float, float]]] | None: ...
def generic_stage_cost(
    problem: Problem, step: int
) -> tuple[list[tuple[float, float, float]], float] | None: ...
