#include "bess/optimum_sweep.hpp"

#include <limits>
#include <utility>
#include <vector>

#include "holders.hpp"

namespace bess::border {
namespace {

// Rows of `batteries`: the members of Battery in their order, and the limits of the stored energy
// after the last step.
constexpr std::size_t kOptimumProperties = 17;
constexpr std::size_t kOptimumTotals = 8;

Device device_of(const double* rows, std::size_t count, std::size_t i, std::size_t steps) {
  const auto at = [&](std::size_t row) { return rows[row * count + i]; };
  const Battery battery{at(0),  at(1),       at(2),       at(3),       at(4),
                        at(5),  at(6),       at(7),       at(8),       at(9),
                        at(10), at(11) != 0, at(12) != 0, at(13) != 0, at(14) != 0};
  return {battery, 1, 1, {{steps - 1, at(15), at(16)}}, {}};
}

}  // namespace

void bind_optimum_sweep(py::module_& m) {
  m.def(
      "sweep_optima",
      [](const SiteHolder& site, const Array<double>& import_price,
         const Array<double>& export_price, const Array<double>& batteries,
         const Array<std::int32_t>& run_start, const Array<std::int32_t>& run_bin,
         std::size_t bins) {
        if (batteries.ndim() != 2 || batteries.shape(0) != kOptimumProperties) {
          throw py::value_error("batteries must have a row for each property");
        }
        const auto count = static_cast<std::size_t>(batteries.shape(1));
        const double* rows = batteries.data();
        const auto buy = borrow(import_price);
        const auto sell = borrow(export_price);
        const Runs runs{borrow(run_start), borrow(run_bin)};
        Block by_bin = take_block(kDeterminantRows * bins * count);
        Block totals = take_block(kOptimumTotals * count);
        {
          const py::gil_scoped_release release;
          thread_local OptimumSweep sweep;
          std::vector<Device> device(1);
          std::vector<double> own(kDeterminantRows * bins);
          const std::span<double> each(own);
          const Determinants determinants{each.subspan(0, bins), each.subspan(bins, bins),
                                          each.subspan(2 * bins, bins)};
          for (std::size_t i = 0; i < count; ++i) {
            device.front() = device_of(rows, count, i, site.site.steps());
            const Problem problem{site.site, buy, sell, device, false};
            const OptimumTotals found = sweep.solve(problem, runs, determinants);
            const double none = std::numeric_limits<double>::quiet_NaN();
            for (std::size_t j = 0; j < own.size(); ++j) {
              by_bin.get()[j * count + i] = found.feasible ? own[j] : none;
            }
            const double sums[kOptimumTotals] = {found.discharged, found.from_grid,  found.sent,
                                                 found.curtailed,  found.stored,     found.paid,
                                                 found.moved,      found.lower_bound};
            for (std::size_t j = 0; j < kOptimumTotals; ++j) {
              totals.get()[j * count + i] = found.feasible ? sums[j] : none;
            }
          }
        }
        return py::make_tuple(block_array(std::move(by_bin), {kDeterminantRows, bins, count}),
                              block_array(std::move(totals), {kOptimumTotals, count}));
      },
      py::arg("site"), py::arg("import_price").noconvert(), py::arg("export_price").noconvert(),
      py::arg("batteries").noconvert(), py::arg("run_start").noconvert(),
      py::arg("run_bin").noconvert(), py::arg("bins"));
}

}  // namespace bess::border
