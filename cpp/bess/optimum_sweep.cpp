#include "bess/optimum_sweep.hpp"

#include <cmath>

#include "bess/schedule.hpp"

namespace bess {
namespace {

double sum(const double* values, std::size_t count) {
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += values[i];
  return total;
}

}  // namespace

OptimumTotals OptimumSweep::solve(const Problem& problem, const Runs& bins,
                                  const Determinants& determinants) {
  const std::size_t steps = problem.site.steps();
  energy_.resize(steps);
  worth_.resize(steps);
  flows_.resize(kSeriesCount * steps);
  device_flows_.resize(kDeviceSeriesCount * steps);
  imported_.resize(steps);
  exported_.resize(steps);
  OptimumTotals totals{};
  if (!costs_.build(problem)) return totals;
  const Optimum optimum = program_.solve(problem, costs_, energy_, worth_);
  if (!optimum.feasible) return totals;
  const FlowSeries flows{flows_.data(), steps};
  const DeviceFlows device_flows{device_flows_.data(), steps};
  if (!write_schedule(problem, energy_, flows, device_flows).feasible) return totals;

  const double* to_site = flows.row(Series::kGridToSite);
  const double* to_battery = flows.row(Series::kGridToBattery);
  const double* solar_sold = flows.row(Series::kSolarToGrid);
  const double* battery_sold = flows.row(Series::kBatteryToGrid);
  for (std::size_t t = 0; t < steps; ++t) {
    imported_[t] = to_site[t] + to_battery[t];
    exported_[t] = solar_sold[t] + battery_sold[t];
    const double bought = problem.import_price[t] * imported_[t];
    const double earned = problem.export_price[t] * exported_[t];
    totals.paid += bought - earned;
    totals.moved += std::abs(bought) + std::abs(earned);
  }
  settle(imported_, exported_, bins, determinants);
  totals.feasible = true;
  totals.sent = sum(battery_sold, steps);
  totals.discharged = sum(flows.row(Series::kBatteryToSite), steps) + totals.sent;
  totals.from_grid = sum(to_battery, steps);
  totals.curtailed = sum(flows.row(Series::kSolarCurtailed), steps);
  totals.stored = energy_[steps - 1];
  totals.lower_bound = optimum.lower_bound;
  return totals;
}

}  // namespace bess
