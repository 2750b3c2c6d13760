#include "bess/coupling.hpp"

#include "holders.hpp"

namespace bess::border {
namespace {

struct CouplingHolder {
  Array<std::int32_t> step_start, step_row;
  Array<double> import_factor, export_factor;
  std::optional<Array<std::int32_t>> drawn_device, drawn_row;
  std::optional<Array<double>> drawn_factor;
  Array<double> column_cost, column_lower, column_upper;
  Array<std::int32_t> integrality, start, index;
  Array<double> value, row_lower, row_upper;
  double offset;

  Coupling coupling() const {
    return {borrow(step_start),
            borrow(step_row),
            borrow(import_factor),
            borrow(export_factor),
            borrow(drawn_device),
            borrow(drawn_row),
            borrow(drawn_factor),
            borrow(column_cost),
            borrow(column_lower),
            borrow(column_upper),
            borrow(integrality),
            borrow(start),
            borrow(index),
            borrow(value),
            borrow(row_lower),
            borrow(row_upper),
            offset};
  }
};

}  // namespace

void bind_coupling(py::module_& m) {
  py::class_<CouplingHolder>(m, "Coupling")
      .def(py::init([](Array<std::int32_t> step_start, Array<std::int32_t> step_row,
                       Array<double> import_factor, Array<double> export_factor,
                       Array<double> column_cost, Array<double> column_lower,
                       Array<double> column_upper, Array<std::int32_t> integrality,
                       Array<std::int32_t> start, Array<std::int32_t> index, Array<double> value,
                       Array<double> row_lower, Array<double> row_upper, double offset,
                       std::optional<Array<std::int32_t>> drawn_device,
                       std::optional<Array<std::int32_t>> drawn_row,
                       std::optional<Array<double>> drawn_factor) {
             return CouplingHolder{
                 step_start,   step_row,    import_factor, export_factor, drawn_device, drawn_row,
                 drawn_factor, column_cost, column_lower,  column_upper,  integrality,  start,
                 index,        value,       row_lower,     row_upper,     offset};
           }),
           py::kw_only(), py::arg("step_start").noconvert(), py::arg("step_row").noconvert(),
           py::arg("import_factor").noconvert(), py::arg("export_factor").noconvert(),
           py::arg("column_cost").noconvert(), py::arg("column_lower").noconvert(),
           py::arg("column_upper").noconvert(), py::arg("integrality").noconvert(),
           py::arg("start").noconvert(), py::arg("index").noconvert(), py::arg("value").noconvert(),
           py::arg("row_lower").noconvert(), py::arg("row_upper").noconvert(), py::arg("offset"),
           py::arg("drawn_device").noconvert() = py::none(),
           py::arg("drawn_row").noconvert() = py::none(),
           py::arg("drawn_factor").noconvert() = py::none())
      .def_readonly("column_cost", &CouplingHolder::column_cost)
      .def_readonly("column_lower", &CouplingHolder::column_lower)
      .def_readonly("column_upper", &CouplingHolder::column_upper)
      .def_readonly("integrality", &CouplingHolder::integrality)
      .def_readonly("start", &CouplingHolder::start)
      .def_readonly("index", &CouplingHolder::index)
      .def_readonly("value", &CouplingHolder::value)
      .def_readonly("row_lower", &CouplingHolder::row_lower)
      .def_readonly("row_upper", &CouplingHolder::row_upper)
      .def_readonly("offset", &CouplingHolder::offset);

  m.def(
      "couple",
      [](const LinearProgram& program, const CouplingHolder& coupling) {
        const py::gil_scoped_release release;
        return couple(program, coupling.coupling());
      },
      py::arg("program"), py::arg("coupling"));
}

}  // namespace bess::border
