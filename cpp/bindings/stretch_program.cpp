#include "bess/stretch_program.hpp"

#include "holders.hpp"

namespace bess::border {
namespace {

struct StretchHolder {
  py::object problem_owner;
  Array<double> low;
  Array<double> high;
  StretchProgram program;
};

double value_at(const CostToGo& cost, double s) {
  double least = kNoLimit;
  const FunctionView view = cost.function.view();
  for (std::size_t i = 0; i < view.segments.size(); ++i) {
    if (view.segments[i].start <= s && s <= view.end_of(i)) {
      least = std::min(least, view.segments[i].at(s));
    }
  }
  return least;
}

}  // namespace

void bind_stretch_program(py::module_& m) {
  py::class_<CostToGo>(m, "CostToGo")
      .def(py::init([](double start, double end, double value, double slope) {
             return CostToGo{{{{start, value, slope}}, end}, 0.0};
           }),
           py::arg("start"), py::arg("end"), py::arg("value"), py::arg("slope"))
      .def(
          "corner_near",
          [](const CostToGo& self, double s, double rounding) {
            return self.function.view().corner_near(s, rounding);
          },
          py::arg("energy"), py::arg("rounding"))
      .def("at", &value_at, py::arg("energy"))
      .def(
          "plus",
          [](const CostToGo& self, double more) {
            CostToGo sum = self;
            for (Segment& segment : sum.function.segments) segment.value += more;
            return sum;
          },
          py::arg("more"))
      .def(
          "least_above",
          [](const CostToGo& self, const CostToGo& other) {
            return least_above(self.function, other.function);
          },
          py::arg("other"))
      .def_readonly("error", &CostToGo::error);
  m.def(
      "least_of",
      [](const std::vector<const CostToGo*>& costs, double capacity) {
        return least_of(costs, capacity);
      },
      py::arg("costs"), py::arg("capacity"));
  py::class_<StretchHolder>(m, "StretchProgram")
      .def(py::init(
               [](py::object problem, std::size_t first, Array<double> low, Array<double> high) {
                 auto holder = std::make_unique<StretchHolder>();
                 holder->problem_owner = std::move(problem);
                 holder->low = std::move(low);
                 holder->high = std::move(high);
                 const Problem& stated = holder->problem_owner.cast<const ProblemHolder&>().problem;
                 const auto count = static_cast<std::size_t>(holder->low.size()) - 1;
                 if (!holder->program.start(stated, first, count, borrow(holder->low),
                                            borrow(holder->high))) {
                   throw std::invalid_argument("load above the import limit");
                 }
                 return holder;
               }),
           py::arg("problem"), py::arg("first"), py::arg("low").noconvert(),
           py::arg("high").noconvert())
      .def(
          "before",
          [](StretchHolder& self, const Array<double>& from, const Array<double>& more,
             const Array<double>& most, const CostToGo& later) -> std::optional<CostToGo> {
            const ImportTerms terms{borrow(from), borrow(more), borrow(most)};
            CostToGo found;
            const py::gil_scoped_release release;
            if (!self.program.solve_before(terms, later, found)) return std::nullopt;
            return found;
          },
          py::arg("cap").noconvert(), py::arg("more").noconvert(), py::arg("most").noconvert(),
          py::arg("later"))
      .def(
          "schedule",
          [](StretchHolder& self, const Array<double>& from, const Array<double>& more,
             const Array<double>& most, const CostToGo& later, double energy_before) -> py::object {
            const ImportTerms terms{borrow(from), borrow(more), borrow(most)};
            const auto steps = static_cast<std::size_t>(from.size());
            py::array_t<double> energy(from.size());
            py::array_t<double> import(from.size());
            const double cost =
                self.program.solve(terms, later, energy_before, {energy.mutable_data(), steps},
                                   {import.mutable_data(), steps});
            if (cost == kNoLimit) return py::none();
            return py::make_tuple(energy, import, cost);
          },
          py::arg("cap").noconvert(), py::arg("more").noconvert(), py::arg("most").noconvert(),
          py::arg("later"), py::arg("energy_before"));
}

}  // namespace bess::border
