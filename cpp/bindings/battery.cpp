#include "bess/battery.hpp"

#include "arrays.hpp"

namespace bess::border {

void bind_battery(py::module_& m) {
  py::class_<Battery>(m, "Battery")
      .def(py::init([](double capacity, double minimum_energy, double maximum_energy,
                       double initial_energy, double charge_limit, double discharge_limit,
                       double ac_to_dc_efficiency, double dc_to_ac_efficiency,
                       double input_efficiency, double degradation_cost, bool dc_coupled,
                       bool grid_to_battery, bool battery_to_grid, bool solar_to_battery,
                       double retention) {
             return Battery{
                 capacity,         minimum_energy,   maximum_energy,      initial_energy,
                 charge_limit,     discharge_limit,  ac_to_dc_efficiency, dc_to_ac_efficiency,
                 input_efficiency, degradation_cost, retention,           dc_coupled,
                 grid_to_battery,  battery_to_grid,  solar_to_battery};
           }),
           py::kw_only(), py::arg("capacity"), py::arg("minimum_energy"), py::arg("maximum_energy"),
           py::arg("initial_energy"), py::arg("charge_limit"), py::arg("discharge_limit"),
           py::arg("ac_to_dc_efficiency"), py::arg("dc_to_ac_efficiency"),
           py::arg("input_efficiency"), py::arg("degradation_cost"), py::arg("dc_coupled"),
           py::arg("grid_to_battery"), py::arg("battery_to_grid"), py::arg("solar_to_battery"),
           py::arg("retention") = 1.0);
}

}  // namespace bess::border
