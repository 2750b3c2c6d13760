#include "bess/cut_oracle.hpp"

#include "holders.hpp"

namespace bess::border {
namespace {

template <typename T>
py::array copied(std::span<const T> values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

// The oracle over a problem that Python owns.
struct OracleHolder {
  py::object problem_owner;
  std::vector<ImportCap> caps;
  std::vector<double> penalty;
  CutOracle oracle;
  std::vector<Cut> cuts;
  std::vector<CutSlope> slopes;
};

}  // namespace

void bind_cut_oracle(py::module_& m) {
  py::class_<OracleHolder>(m, "CutOracle")
      .def(py::init([](const Array<std::int32_t>& step, const Array<std::int32_t>& column,
                       const Array<double>& room, const Array<double>& factor,
                       const Array<double>& penalty) {
             auto holder = std::make_unique<OracleHolder>();
             for (py::ssize_t i = 0; i < step.size(); ++i) {
               holder->caps.push_back({static_cast<std::uint32_t>(step.at(i)),
                                       static_cast<std::uint32_t>(column.at(i)), room.at(i),
                                       factor.at(i)});
             }
             holder->penalty.assign(penalty.data(), penalty.data() + penalty.size());
             return holder;
           }),
           py::arg("step").noconvert(), py::arg("column").noconvert(), py::arg("room").noconvert(),
           py::arg("factor").noconvert(), py::arg("penalty").noconvert())
      .def(
          "start",
          [](OracleHolder& self, py::object problem) {
            self.problem_owner = std::move(problem);
            const Problem& stated = self.problem_owner.cast<const ProblemHolder&>().problem;
            const py::gil_scoped_release release;
            return self.oracle.start(stated, self.caps, self.penalty);
          },
          py::arg("problem"))
      .def(
          "evaluate",
          [](OracleHolder& self, const Array<double>& columns) {
            const std::span<const double> values = borrow(columns);
            const py::gil_scoped_release release;
            return self.oracle.evaluate(values);
          },
          py::arg("columns").noconvert())
      .def(
          "cut",
          [](OracleHolder& self, const Array<double>& worth, const Array<std::uint32_t>& starts) {
            {
              const std::span<const double> worths = borrow(worth);
              const std::span<const std::uint32_t> blocks = borrow(starts);
              const py::gil_scoped_release release;
              self.oracle.cut(worths, blocks, self.cuts, self.slopes);
            }
            const auto count = static_cast<py::ssize_t>(self.cuts.size());
            py::array_t<double> numbers({count, py::ssize_t{3}});
            py::array_t<std::int32_t> counts(count);
            for (py::ssize_t b = 0; b < count; ++b) {
              const Cut& cut = self.cuts[static_cast<std::size_t>(b)];
              numbers.mutable_at(b, 0) = cut.constant;
              numbers.mutable_at(b, 1) = cut.worth_at_start;
              numbers.mutable_at(b, 2) = cut.worth_at_end;
              counts.mutable_at(b) = static_cast<std::int32_t>(cut.count);
            }
            const auto slopes = static_cast<py::ssize_t>(self.slopes.size());
            py::array_t<std::int32_t> columns(slopes);
            py::array_t<double> values(slopes);
            for (py::ssize_t i = 0; i < slopes; ++i) {
              const CutSlope& slope = self.slopes[static_cast<std::size_t>(i)];
              columns.mutable_at(i) = static_cast<std::int32_t>(slope.column);
              values.mutable_at(i) = slope.value;
            }
            return py::make_tuple(numbers, counts, columns, values);
          },
          py::arg("worth").noconvert(), py::arg("starts").noconvert())
      .def_property_readonly("is_convex",
                             [](const OracleHolder& self) { return self.oracle.is_convex(); })
      .def_property_readonly("cap",
                             [](const OracleHolder& self) { return copied(self.oracle.cap()); })
      .def_property_readonly("penalty",
                             [](const OracleHolder& self) { return copied(self.oracle.penalty()); })
      .def_property_readonly("energy",
                             [](const OracleHolder& self) { return copied(self.oracle.energy()); })
      .def_property_readonly("worth",
                             [](const OracleHolder& self) { return copied(self.oracle.worth()); })
      .def_property_readonly(
          "worth_of_cap",
          [](const OracleHolder& self) { return copied(self.oracle.worth_of_cap()); })
      .def_property_readonly("limits", [](const OracleHolder& self) {
        const std::size_t count = self.oracle.energy().size() + 1;
        py::array_t<double> limits({std::size_t{2}, count});
        for (std::size_t t = 0; t < count; ++t) {
          limits.mutable_at(0, t) = self.oracle.low(t);
          limits.mutable_at(1, t) = self.oracle.high(t);
        }
        return limits;
      });
}

}  // namespace bess::border
