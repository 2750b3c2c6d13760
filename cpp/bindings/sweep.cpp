#include "bess/sweep.hpp"

#include <optional>
#include <string>
#include <utility>

#include "holders.hpp"

namespace bess::border {
namespace {

// Rows of `batteries` as LaneBatteries has them.
constexpr std::size_t kLaneProperties = 10;
// Rows by battery: discharged, from_grid, sent, stored, cost, full, empty, missed.
constexpr std::size_t kLaneTotals = 8;

}  // namespace

void bind_sweep(py::module_& m) {
  py::class_<SweepProgram>(m, "SweepProgram")
      .def(py::init([](const SiteHolder& site, const RuleHolder& rule, bool grid_to_battery,
                       bool battery_to_grid, const Array<std::int32_t>& run_start,
                       const Array<std::int32_t>& run_bin, std::size_t bins,
                       const std::optional<Array<double>>& buy,
                       const std::optional<Array<double>>& sell, const WindowTuples& windows,
                       bool hours) {
             const std::vector<Window> sorted = windows_of(windows);
             const Runs runs{borrow(run_start), borrow(run_bin)};
             const StepPrices prices{borrow(buy), borrow(sell)};
             const py::gil_scoped_release release;
             return SweepProgram(site.site, rule.rule, grid_to_battery, battery_to_grid, runs, bins,
                                 prices, {sorted, hours});
           }),
           py::arg("site"), py::arg("rule"), py::arg("grid_to_battery"), py::arg("battery_to_grid"),
           py::arg("run_start").noconvert(), py::arg("run_bin").noconvert(), py::arg("bins"),
           py::arg("buy").noconvert() = py::none(), py::arg("sell").noconvert() = py::none(),
           py::arg("windows") = WindowTuples(), py::arg("hours") = false)
      .def(
          "run",
          [](const SweepProgram& self, const Array<double>& batteries,
             const std::optional<std::string>& instructions) {
            if (batteries.ndim() != 2 || batteries.shape(0) != kLaneProperties) {
              throw py::value_error("batteries must have a row for each property");
            }
            const InstructionSet set = instruction_set(instructions);
            const auto count = static_cast<std::size_t>(batteries.shape(1));
            const std::size_t bins = self.bins();
            const auto row = [&](std::size_t i) {
              return std::span<const double>(batteries.data() + i * count, count);
            };
            Block by_bin = take_block(kDeterminantRows * bins * count);
            Block totals = take_block(kLaneTotals * count);
            {
              const py::gil_scoped_release release;
              const auto bin_row = [&](std::size_t i) {
                return std::span<double>(by_bin.get() + i * bins * count, bins * count);
              };
              const auto total_row = [&](std::size_t i) {
                return std::span<double>(totals.get() + i * count, count);
              };
              Sweep sweep;
              sweep.run(
                  self,
                  {row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7), row(8), row(9)},
                  {bin_row(0), bin_row(1), bin_row(2), total_row(0), total_row(1), total_row(2),
                   total_row(3), total_row(4), total_row(5), total_row(6), total_row(7)},
                  set);
            }
            return py::make_tuple(block_array(std::move(by_bin), {kDeterminantRows, bins, count}),
                                  block_array(std::move(totals), {kLaneTotals, count}));
          },
          py::arg("batteries").noconvert(), py::arg("instruction_set") = py::none());
}

}  // namespace bess::border
