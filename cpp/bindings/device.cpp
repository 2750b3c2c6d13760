#include "bess/device.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_device(py::module_& m) {
  py::class_<Device>(m, "Device")
      .def(py::init([](const Battery& battery, int charging_priority, int discharging_priority,
                       const WindowTuples& windows) {
             return Device{battery, charging_priority, discharging_priority, windows_of(windows)};
           }),
           py::arg("battery"), py::arg("charging_priority"), py::arg("discharging_priority"),
           py::arg("windows"));
}

}  // namespace bess::border
