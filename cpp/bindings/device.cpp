#include "bess/device.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_device(py::module_& m) {
  py::class_<Device>(m, "Device")
      .def(py::init([](const Battery& battery, int charging_priority, int discharging_priority,
                       const WindowTuples& windows,
                       const std::vector<std::pair<double, double>>& end_worth) {
             Device device{
                 battery, charging_priority, discharging_priority, windows_of(windows), {}};
             for (const auto& [value, width] : end_worth)
               device.end_worth.push_back({value, width});
             return device;
           }),
           py::arg("battery"), py::arg("charging_priority"), py::arg("discharging_priority"),
           py::arg("windows"), py::arg("end_worth") = std::vector<std::pair<double, double>>{});
}

}  // namespace bess::border
