#include "bess/stretch_program.hpp"

#include <algorithm>
#include <cmath>

#include "bess/schedule.hpp"

namespace bess {

bool StretchProgram::start(const Problem& whole, std::size_t first, std::size_t count,
                           std::span<const double> low, std::span<const double> high) {
  device_ = whole.devices.front();
  device_.windows.clear();
  problem_ = {
      .site = whole.site.part(first, count),
      .import_price = whole.import_price.subspan(first, count),
      .export_price = whole.export_price.subspan(first, count),
      .devices = {&device_, 1},
      .cyclic = false,
  };
  low_ = low;
  high_ = high;
  if (!costs_.build(problem_)) return false;
  tier_.start(problem_, costs_, nullptr);
  return true;
}

bool StretchProgram::solve_before(const ImportTerms& terms, const CostToGo& later,
                                  CostToGo& found) {
  return tier_.set(terms.from, terms.more, terms.most) &&
         program_.solve_before(problem_, costs_, {later, low_, high_}, found);
}

double StretchProgram::solve(const ImportTerms& terms, const CostToGo& later, double energy_before,
                             std::span<double> energy, std::span<double> import) {
  const std::size_t steps = energy.size();
  worth_.resize(steps);
  flows_.resize(kSeriesCount * steps);
  device_flows_.resize(kDeviceSeriesCount * steps);
  if (!tier_.set(terms.from, terms.more, terms.most) ||
      !program_.solve(problem_, costs_, {later, low_, high_}, energy_before, energy, worth_)
           .feasible) {
    return kNoLimit;
  }
  device_.battery.initial_energy = energy_before;
  most_.assign(terms.most.begin(), terms.most.end());
  for (std::size_t t = 0; t < steps; ++t) {
    most_[t] = std::min(most_[t], problem_.site.import_limit_at(t));
  }
  Problem limited = problem_;
  limited.site.import_limit = most_;
  const FlowSeries flows{flows_.data(), steps};
  const Schedule schedule = write_schedule(limited, energy, flows, {device_flows_.data(), steps});
  for (std::size_t t = 0; t < steps; ++t) {
    import[t] = flows.row(Series::kGridToSite)[t] + flows.row(Series::kGridToBattery)[t];
  }
  return schedule.cost;
}

CostToGo least_of(std::span<const CostToGo* const> costs, double capacity) {
  double steepest = 0;
  double low = kNoLimit;
  double high = -kNoLimit;
  CostToGo found;
  const double base = costs.front()->function.segments.front().value;
  for (const CostToGo* cost : costs) {
    for (const Segment& s : cost->function.segments) {
      steepest = std::max(steepest, std::abs(s.slope));
    }
    low = std::min(low, cost->function.segments.front().start);
    high = std::max(high, cost->function.end);
    found.error = std::max(found.error, cost->error);
  }
  const double money = steepest * capacity;
  const Tolerances tolerances{1e-11 * capacity, 1e-13 * money, 4e-11 * money};
  Envelope envelope(tolerances);
  envelope.start(low, high);
  PiecewiseLinear piece;
  for (const CostToGo* cost : costs) {
    const FunctionView view = cost->function.view();
    for (std::size_t i = 0; i < view.segments.size(); ++i) {
      if (i > 0 && view.begins_piece(i, tolerances)) {
        envelope.fold(piece);
        piece.segments.clear();
      }
      piece.segments.push_back(view.segments[i]);
      piece.segments.back().value -= base;
      piece.end = view.end_of(i);
    }
    envelope.fold(piece);
    piece.segments.clear();
  }
  found.function = envelope.result();
  for (Segment& s : found.function.segments) s.value += base;
  found.error += tolerances.jump;
  return found;
}

double least_above(const PiecewiseLinear& one, const PiecewiseLinear& other) {
  const FunctionView a = one.view();
  const FunctionView b = other.view();
  double least = kNoLimit;
  std::size_t j = 0;
  for (std::size_t i = 0; i < a.segments.size(); ++i) {
    while (j > 0 && b.segments[j].start >= a.segments[i].start) --j;
    for (; j < b.segments.size(); ++j) {
      const double from = std::max(a.segments[i].start, b.segments[j].start);
      const double to = std::min(a.end_of(i), b.end_of(j));
      if (from <= to) {
        least = std::min({least, a.segments[i].at(from) - b.segments[j].at(from),
                          a.segments[i].at(to) - b.segments[j].at(to)});
      }
      if (b.end_of(j) > a.end_of(i)) break;
    }
    j = std::min(j, b.segments.size() - 1);
  }
  return least;
}

}  // namespace bess
