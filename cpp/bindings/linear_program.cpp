#include "bess/linear_program.hpp"

#include "bess/reduced_program.hpp"

#include "holders.hpp"

namespace bess::border {
namespace {

template <typename T>
auto series(LargeVector<T> LinearProgram::* member) {
  return [member](py::object self) {
    return view(std::span<const T>(self.cast<LinearProgram&>().*member), self);
  };
}

}  // namespace

void bind_linear_program(py::module_& m) {
  py::class_<ProblemHolder>(m, "Problem")
      .def(py::init([](py::object site, std::vector<Device> devices, Array<double> import_price,
                       Array<double> export_price, bool cyclic, bool solar_metered_apart) {
             auto holder = std::make_unique<ProblemHolder>();
             holder->site_owner = site;
             holder->devices = std::move(devices);
             holder->import_price = std::move(import_price);
             holder->export_price = std::move(export_price);
             holder->problem = {site.cast<const SiteHolder&>().site,
                                borrow(holder->import_price),
                                borrow(holder->export_price),
                                holder->devices,
                                cyclic,
                                solar_metered_apart};
             return holder;
           }),
           py::arg("site"), py::arg("devices"), py::arg("import_price").noconvert(),
           py::arg("export_price").noconvert(), py::arg("cyclic"),
           py::arg("solar_metered_apart") = false)
      .def(
          "at_prices",
          [](const ProblemHolder& self, Array<double> import_price, Array<double> export_price,
             std::optional<double> degradation_cost) {
            auto holder = std::make_unique<ProblemHolder>();
            holder->site_owner = self.site_owner;
            holder->devices = self.devices;
            holder->import_price = std::move(import_price);
            holder->export_price = std::move(export_price);
            holder->problem = self.problem;
            holder->problem.import_price = borrow(holder->import_price);
            holder->problem.export_price = borrow(holder->export_price);
            holder->problem.devices = holder->devices;
            if (degradation_cost) {
              for (Device& device : holder->devices) {
                device.battery.degradation_cost = *degradation_cost;
              }
            }
            return holder;
          },
          py::arg("import_price").noconvert(), py::arg("export_price").noconvert(),
          py::arg("degradation_cost") = py::none());

  py::class_<LinearProgram>(m, "LinearProgram")
      .def_property_readonly("column_cost", series(&LinearProgram::column_cost))
      .def_property_readonly("tie_cost", series(&LinearProgram::tie_cost))
      .def_property_readonly("column_lower", series(&LinearProgram::column_lower))
      .def_property_readonly("column_upper", series(&LinearProgram::column_upper))
      .def_property_readonly("row_lower", series(&LinearProgram::row_lower))
      .def_property_readonly("row_upper", series(&LinearProgram::row_upper))
      .def_property_readonly("start", series(&LinearProgram::start))
      .def_property_readonly("index", series(&LinearProgram::index))
      .def_property_readonly("value", series(&LinearProgram::value))
      .def_property_readonly("integrality", series(&LinearProgram::integrality))
      .def_readonly("energy_unit", &LinearProgram::energy_unit)
      .def_readonly("cost_unit", &LinearProgram::cost_unit)
      .def_readonly("offset", &LinearProgram::offset)
      .def_readonly("has_flows", &LinearProgram::has_flows)
      .def(
          "energy_column",
          [](const LinearProgram& program, std::size_t step, std::size_t device) {
            return program.energy_column(step, device);
          },
          py::arg("step"), py::arg("device"));

  m.def(
      "build_linear_program",
      [](const ProblemHolder& problem, const std::optional<Array<std::uint8_t>>& exclusive) {
        const auto marked = borrow(exclusive);
        const py::gil_scoped_release release;
        return build_linear_program(problem.problem, marked);
      },
      py::arg("problem"), py::arg("exclusive").noconvert());

  m.def(
      "build_reduced_program",
      [](const ProblemHolder& problem) -> std::optional<LinearProgram> {
        const py::gil_scoped_release release;
        if (!has_known_merit(problem.problem)) return std::nullopt;
        return build_reduced_program(problem.problem);
      },
      py::arg("problem"));

  m.def(
      "dual_bound",
      [](const LinearProgram& program, const Array<double>& row_dual,
         const Array<double>& column_lower, const Array<double>& column_upper) {
        const auto dual = borrow(row_dual);
        const auto lower = borrow(column_lower);
        const auto upper = borrow(column_upper);
        const py::gil_scoped_release release;
        return dual_bound(program, dual, lower, upper);
      },
      py::arg("program"), py::arg("row_dual").noconvert(), py::arg("column_lower").noconvert(),
      py::arg("column_upper").noconvert());
}

}  // namespace bess::border
