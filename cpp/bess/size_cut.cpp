#include "bess/size_cut.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

#include "bess/convex_hull.hpp"

namespace bess {
namespace {

// Relative: a change that is nearer to a limit on power ends at it.
constexpr double kSame = 1e-12;

}  // namespace

void make_convex_at_every_size(const StageCosts& widest, StageCosts& costs) {
  assert(widest.steps() == costs.steps() && !widest.lossy() && !costs.lossy());
  if (widest.kinks() == 0 && costs.kinks() == 0) return;
  costs.make_convex();  // where rounding alone makes a kink, the hull at this size does
  std::array<CostSegment, StageCostBuilder::kMostSegments> hull;
  for (std::size_t t = 0; t < costs.steps(); ++t) {
    if (widest[t].convex) continue;
    StageCost f = convex_hull(widest[t], widest.segments(t), hull.data());
    const double least = costs[t].least;
    const double most = costs[t].most;
    std::size_t count = 0;
    double from = f.least;
    for (std::size_t i = 0; i < f.count; ++i) {
      const CostSegment segment = hull[i];
      f.cost_at_least += segment.slope * std::max(std::min(segment.end, least) - from, 0.0);
      if (segment.end > least && from < most) {
        hull[count++] = {segment.slope, std::min(segment.end, most)};
      }
      from = segment.end;
    }
    f.least = least;
    f.most = most;
    f.count = static_cast<std::uint8_t>(count);
    if (count > 0) hull[count - 1].end = most;
    costs.replace(t, f, {hull.data(), count});
  }
}

SizeCut size_cut(const Problem& problem, const StageCosts& costs, std::span<const double> worth,
                 double end_price) {
  assert(problem.devices.size() == 1 && costs.kinks() == 0 && !costs.lossy());
  const Device& device = problem.devices.front();
  const Battery& b = device.battery;
  const std::size_t steps = costs.steps();
  std::vector<double> low(steps, b.minimum_energy);
  std::vector<double> high(steps, b.maximum_energy);
  for (const Window& window : device.windows) {
    low[window.step] = std::max(low[window.step], window.low);
    high[window.step] = std::min(high[window.step], window.high);
  }
  const double most_charge = b.charge_limit * b.input_efficiency * (1 - kSame);
  const double most_discharge = b.discharge_limit * (1 - kSame);
  double of_steps = 0;
  double of_energy = -worth[0] * b.initial_energy;
  if (problem.cyclic) {
    const double rise = end_price - worth[0];
    of_energy = rise * (rise > 0 ? b.minimum_energy : b.maximum_energy);
  }
  SizeCut cut{0, 0, 0, 0};
  for (std::size_t t = 0; t < steps; ++t) {
    const StageCost& f = costs[t];
    of_steps += f.cost_at_least - worth[t] * f.least;
    const std::span<const CostSegment> segments = costs.segments(t);
    double from = f.least;
    for (const CostSegment& segment : segments) {
      of_steps += std::min(segment.slope - worth[t], 0.0) * (segment.end - from);
      from = segment.end;
    }
    if (!segments.empty()) {
      if (f.most >= most_charge) {
        cut.per_charge += std::min(segments.back().slope - worth[t], 0.0) * b.input_efficiency;
      }
      if (-f.least >= most_discharge) {
        cut.per_discharge -= std::max(segments.front().slope - worth[t], 0.0);
      }
    }
    const double fall = worth[t] - (t + 1 < steps ? worth[t + 1] : end_price);
    of_energy += fall * (fall > 0 ? low[t] : high[t]);
  }
  cut.cost = of_steps + of_energy;
  cut.per_capacity = of_energy / b.capacity;
  return cut;
}

}  // namespace bess
