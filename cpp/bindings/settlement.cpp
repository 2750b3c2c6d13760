#include "bess/settlement.hpp"

#include <utility>

#include "arrays.hpp"

namespace bess::border {

namespace {

using Indices = Array<std::int32_t>;

}  // namespace

void bind_settlement(py::module_& m) {
  m.def(
      "settle",
      [](const Array<double>& import_energy, const Array<double>& export_energy,
         const Indices& run_start, const Indices& run_bin, std::size_t bins) {
        const auto bought = borrow(import_energy);
        const auto sold = borrow(export_energy);
        const Runs runs{borrow(run_start), borrow(run_bin)};
        Block block = take_block(3 * bins);
        double* const sums = block.get();
        {
          const py::gil_scoped_release release;
          settle(bought, sold, runs, {{sums, bins}, {sums + bins, bins}, {sums + 2 * bins, bins}});
        }
        return block_array(std::move(block), {3, bins});
      },
      py::arg("import_energy").noconvert(), py::arg("export_energy").noconvert(),
      py::arg("run_start").noconvert(), py::arg("run_bin").noconvert(), py::arg("bins"));

  m.def(
      "peak_demand",
      [](const Array<double>& import_energy, std::size_t first, std::size_t interval,
         const Indices& run_start, const Indices& run_bin, std::size_t bins) {
        const auto bought = borrow(import_energy);
        const Runs runs{borrow(run_start), borrow(run_bin)};
        Block block = take_block(bins);
        double* const peaks = block.get();
        {
          const py::gil_scoped_release release;
          peak_demand(bought, first, interval, runs, {peaks, bins});
        }
        return block_array(std::move(block), {bins});
      },
      py::arg("import_energy").noconvert(), py::arg("first"), py::arg("interval"),
      py::arg("run_start").noconvert(), py::arg("run_bin").noconvert(), py::arg("bins"));
}

}  // namespace bess::border
