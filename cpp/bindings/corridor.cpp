#include "bess/corridor.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_corridor(py::module_& m) {
  py::class_<Corridor>(m, "Corridor")
      .def_readonly("first_missed", &Corridor::first_missed)
      .def_readonly("shortfall", &Corridor::shortfall)
      .def_readonly("infeasible_step", &Corridor::infeasible_step)
      .def_property_readonly("attained",
                             [](const Corridor& corridor) {
                               WindowTuples tuples;
                               for (const Window& w : corridor.attained) {
                                 tuples.emplace_back(w.step, w.low, w.high);
                               }
                               return tuples;
                             })
      .def_property_readonly("low",
                             [](py::object self) {
                               return view(std::span<const double>(self.cast<Corridor&>().low),
                                           self);
                             })
      .def_property_readonly("high", [](py::object self) {
        return view(std::span<const double>(self.cast<Corridor&>().high), self);
      });

  m.def(
      "make_corridor",
      [](const SiteHolder& site, const Battery& battery, const WindowTuples& windows,
         double earliest_low, double earliest_high) {
        const std::vector<Window> sorted = windows_of(windows);
        const py::gil_scoped_release release;
        return make_corridor(site.site, battery, sorted, earliest_low, earliest_high);
      },
      py::arg("site"), py::arg("battery"), py::arg("windows"), py::arg("earliest_low"),
      py::arg("earliest_high"));
}

}  // namespace bess::border
