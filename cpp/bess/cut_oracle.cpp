#include "bess/cut_oracle.hpp"

#include <algorithm>

namespace bess {
namespace {

// Whether in every step 0 <= export price <= import price.
bool has_merit(const Problem& problem) {
  bool has = true;
  for (std::size_t t = 0; t < problem.site.steps(); ++t) {
    has &= problem.export_price[t] >= 0 && problem.export_price[t] <= problem.import_price[t];
  }
  return has;
}

}  // namespace

bool CutOracle::start(const Problem& problem, std::span<const ImportCap> caps,
                      std::span<const double> penalty) {
  problem_ = &problem;
  caps_ = caps;
  const std::size_t steps = problem.site.steps();
  if (!costs_.build(problem)) return false;
  convex_ = StageCosts();
  if (!has_merit(problem) || costs_.kinks() > 0) {
    convex_ = costs_;
    convex_.make_convex();
  }
  tier_.start(problem, costs_, is_convex() ? nullptr : &convex_);
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
  Optimum optimum = program_.solve(*problem_, is_convex() ? costs_ : convex_, energy_, worth_);
  const double value = optimum.value;
  if (optimum.feasible && costs_.kinks() > 0) {
    unused_.resize(worth_.size());
    optimum = program_.solve(*problem_, costs_, energy_, unused_);
  }
  return optimum.feasible ? value : kNoLimit;
}

void CutOracle::cut(std::span<const double> worth, std::span<const std::uint32_t> starts,
                    std::vector<Cut>& cuts, std::vector<CutSlope>& slopes) {
  const double retention = problem_->devices.front().battery.retention;
  cuts.clear();
  slopes.clear();
  worth_of_cap_.assign(caps_.size(), 0);
  for (std::size_t b = 0; b < starts.size(); ++b) {
    const std::size_t first = starts[b];
    const std::size_t last = b + 1 < starts.size() ? starts[b + 1] : worth.size();
    const std::size_t first_slope = slopes.size();
    double constant = 0;
    for (std::size_t t = first; t < last; ++t) {
      const ImportTier::Tangent tangent = tier_.tangent(t, worth[t] * unit(t + 1));
      constant += tangent.least;
      if (t > first) {
        const double kept = worth[t - 1] - retention * worth[t];
        constant += kept * (kept > 0 ? low(t) : high(t));
      }
      if (tangent.worth_of_cap <= 0) continue;
      worth_of_cap_[binding_[t] - 1] = tangent.worth_of_cap;
      const ImportCap& cap = caps_[binding_[t] - 1];
      if (slope_[cap.column] == 0) slopes.push_back({cap.column, 0.0});
      slope_[cap.column] -= tangent.worth_of_cap * cap.factor;
      constant -= tangent.worth_of_cap * cap.room;
    }
    for (std::size_t i = first_slope; i < slopes.size(); ++i) {
      slopes[i].value = slope_[slopes[i].column];
      slope_[slopes[i].column] = 0;
    }
    cuts.push_back({constant, retention * worth[first], worth[last - 1],
                    static_cast<std::uint32_t>(first_slope),
                    static_cast<std::uint32_t>(slopes.size() - first_slope)});
  }
}

}  // namespace bess
