#include "bess/cut_oracle.hpp"

#include <algorithm>

namespace bess {

bool CutOracle::start(const Problem& problem, std::span<const ImportCap> caps,
                      std::span<const double> penalty) {
  problem_ = &problem;
  caps_ = caps;
  const std::size_t steps = problem.site.steps();
  if (!costs_.build(problem) || !tier_.start(problem, costs_)) return false;
  penalty_.assign(steps, 0);
  for (const ImportCap& cap : caps) penalty_[cap.step] += penalty[cap.column] / cap.factor;
  cap_.resize(steps);
  binding_.resize(steps);
  energy_.resize(steps);
  worth_.resize(steps);
  slope_.assign(penalty.size(), 0);
  return true;
}

double CutOracle::evaluate(std::span<const double> columns) {
  columns_.assign(columns.begin(), columns.end());
  std::fill(cap_.begin(), cap_.end(), kNoLimit);
  std::fill(binding_.begin(), binding_.end(), 0);
  for (std::size_t i = 0; i < caps_.size(); ++i) {
    const ImportCap& cap = caps_[i];
    const double most = std::max(cap.room + cap.factor * columns[cap.column], 0.0);
    if (most < cap_[cap.step]) {
      cap_[cap.step] = most;
      binding_[cap.step] = static_cast<std::uint32_t>(i + 1);
    }
  }
  tier_.set(cap_, penalty_);
  const Optimum optimum = program_.solve(*problem_, costs_, energy_, worth_);
  return optimum.feasible ? optimum.value : kNoLimit;
}

void CutOracle::cut(std::span<const std::uint32_t> starts, std::vector<Cut>& cuts,
                    std::vector<CutSlope>& slopes) {
  const std::span<const double> low = program_.low();
  const std::span<const double> high = program_.high();
  cuts.clear();
  slopes.clear();
  for (std::size_t b = 0; b < starts.size(); ++b) {
    const std::size_t first = starts[b];
    const std::size_t last = b + 1 < starts.size() ? starts[b + 1] : worth_.size();
    const std::size_t first_slope = slopes.size();
    double constant = 0;
    for (std::size_t t = first; t < last; ++t) {
      const StageCost& f = costs_[t];
      double least = f.cost_at_least - worth_[t] * f.least;
      double from = f.least;
      for (const CostSegment& segment : costs_.filled_segments(t)) {
        least += std::min(segment.slope - worth_[t], 0.0) * (segment.end - from);
        from = segment.end;
      }
      constant += least;
      if (t > first) {
        const double kept = worth_[t - 1] - worth_[t];
        constant += kept * (kept > 0 ? low[t] : high[t]);
      }
      if (binding_[t] == 0) continue;
      const double worth = tier_.worth_of_cap(t, worth_[t]);
      if (worth <= 0) continue;
      const ImportCap& cap = caps_[binding_[t] - 1];
      if (slope_[cap.column] == 0) slopes.push_back({cap.column, 0.0});
      slope_[cap.column] -= worth * cap.factor;
      constant += worth * cap.factor * columns_[cap.column];
    }
    for (std::size_t i = first_slope; i < slopes.size(); ++i) {
      slopes[i].value = slope_[slopes[i].column];
      slope_[slopes[i].column] = 0;
    }
    cuts.push_back({constant, worth_[first], worth_[last - 1],
                    static_cast<std::uint32_t>(first_slope),
                    static_cast<std::uint32_t>(slopes.size() - first_slope)});
  }
}

void CutOracle::peaks(std::span<double> columns) const {
  std::fill(columns.begin(), columns.end(), 0.0);
  for (const ImportCap& cap : caps_) {
    const double before = cap.step > 0 ? energy_[cap.step - 1] : program_.low()[0];
    const double import = tier_.import_at(cap.step, energy_[cap.step] - before);
    double& column = columns[cap.column];
    column = std::max(column, (import - cap.room) / cap.factor);
  }
}

}  // namespace bess
