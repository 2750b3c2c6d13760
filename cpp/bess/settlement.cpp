// Why runs: adding every step to its bin's place in memory waits for the store before it. Within a
// run the sums stay in registers, so a year costs little more than reading it: two additions and
// a comparison a step, each a chain of its own.
#include "bess/settlement.hpp"

#include <algorithm>
#include <cassert>

namespace bess {

void settle(std::span<const double> import_energy, std::span<const double> export_energy,
            const Runs& runs, const Determinants& determinants) {
  assert(import_energy.size() == export_energy.size());
  assert(runs.start.size() == runs.count() + 1);
  assert(static_cast<std::size_t>(runs.start.back()) == import_energy.size());
  std::ranges::fill(determinants.import_energy, 0.0);
  std::ranges::fill(determinants.export_energy, 0.0);
  std::ranges::fill(determinants.peak, 0.0);
  for (std::size_t r = 0; r < runs.count(); ++r) {
    const auto end = static_cast<std::size_t>(runs.start[r + 1]);
    double bought = 0.0;
    double sold = 0.0;
    double most = 0.0;
    for (auto t = static_cast<std::size_t>(runs.start[r]); t < end; ++t) {
      bought += import_energy[t];
      sold += export_energy[t];
      most = import_energy[t] > most ? import_energy[t] : most;
    }
    const auto bin = static_cast<std::size_t>(runs.bin[r]);
    determinants.import_energy[bin] += bought;
    determinants.export_energy[bin] += sold;
    determinants.peak[bin] = std::max(determinants.peak[bin], most);
  }
}

void peak_demand(std::span<const double> import_energy, std::size_t first, std::size_t interval,
                 const Runs& runs, std::span<double> peak) {
  assert(first >= 1 && first <= interval);
  assert(runs.start.size() == runs.count() + 1);
  std::ranges::fill(peak, 0.0);
  const std::size_t steps = import_energy.size();
  std::size_t t = 0;
  std::size_t end = std::min(first, steps);
  for (std::size_t r = 0; r < runs.count(); ++r) {
    double most = 0.0;
    for (auto i = runs.start[r]; i < runs.start[r + 1]; ++i) {
      assert(t < end);
      const auto length = static_cast<double>(end - t);
      double sum = 0.0;
      for (; t < end; ++t) sum += import_energy[t];
      most = std::max(most, sum / length);
      end = std::min(end + interval, steps);
    }
    const auto bin = static_cast<std::size_t>(runs.bin[r]);
    peak[bin] = std::max(peak[bin], most);
  }
  assert(t == steps);
}

}  // namespace bess
