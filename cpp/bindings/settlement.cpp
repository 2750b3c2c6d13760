#include "bess/settlement.hpp"

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
        double* block = take_block(3 * bins);
        {
          const py::gil_scoped_release release;
          settle(bought, sold, runs,
                 {{block, bins}, {block + bins, bins}, {block + 2 * bins, bins}});
        }
        return block_array(block, {3, bins});
      },
      py::arg("import_energy").noconvert(), py::arg("export_energy").noconvert(),
      py::arg("run_start").noconvert(), py::arg("run_bin").noconvert(), py::arg("bins"));

  m.def(
      "peak_demand",
      [](const Array<double>& import_energy, std::size_t first, std::size_t interval,
         const Indices& run_start, const Indices& run_bin, std::size_t bins) {
        const auto bought = borrow(import_energy);
        const Runs runs{borrow(run_start), borrow(run_bin)};
        double* block = take_block(bins);
        {
          const py::gil_scoped_release release;
          peak_demand(bought, first, interval, runs, {block, bins});
        }
        return block_array(block, {bins});
      },
      py::arg("import_energy").noconvert(), py::arg("first"), py::arg("interval"),
      py::arg("run_start").noconvert(), py::arg("run_bin").noconvert(), py::arg("bins"));
}

}  // namespace bess::border
