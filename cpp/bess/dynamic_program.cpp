// V_t(s) = min over x of f_t(x) + V_{t+1}(s + x), for s within the limits before step t. Backward
// the value function is carried as a list of slopes, of which only the two are kept at which the
// limits cut it: forward, what stored energy is worth changes only where a limit binds, and then to
// the slope at the cut. Between two such pins all optimal schedules lie in a tube, through which
// the one that moves least is taken. Time is proportional to the number of steps.
//
// At steps that are not convex, and for as many before them as the kinks take to leave the
// battery's range, V is kept as a row of convex pieces, and stored whole.
#include "bess/dynamic_program.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "bess/corridor.hpp"

namespace bess {
namespace {

// Relative to the capacity: windows that cross by no more meet in a point.
constexpr double kRounding = 1e-12;

}  // namespace

Optimum DynamicProgram::solve(const Problem& problem, const StageCosts& costs,
                              std::span<double> energy, std::span<double> worth) {
  assert(!problem.cyclic);
  const double initial = problem.devices.front().battery.initial_energy;
  const Ends ends{initial, initial, 0, -kNoLimit, kNoLimit, 0};
  return solve(problem, costs, ends, energy, worth);
}

Optimum DynamicProgram::solve(const Problem& problem, const StageCosts& costs, const Ends& ends,
                              std::span<double> energy, std::span<double> worth) {
  assert(problem.devices.size() == 1 && !problem.solar_metered_apart);
  later_ = nullptr;
  keeps_values_ = costs.kinks() > 0;
  begin(problem, costs, costs.steepest());
  set_limits(problem, ends);
  if (low_[steps_] - high_[steps_] > tolerances_.width) return {false, 0, 0, 0, 0, 0};
  low_[steps_] = std::min(low_[steps_], high_[steps_]);
  set_end(problem.devices.front(), ends.end_price);
  return run(problem, ends.start_price, energy, worth);
}

Optimum DynamicProgram::solve(const Problem& problem, const StageCosts& costs, const Later& later,
                              double start, std::span<double> energy, std::span<double> worth) {
  begin(problem, costs, later);
  low_[0] = high_[0] = start;
  return run(problem, 0, energy, worth);
}

bool DynamicProgram::solve_before(const Problem& problem, const StageCosts& costs,
                                  const Later& later, CostToGo& found) {
  begin(problem, costs, later);
  if (!run_backward()) return false;
  if (convex_ && !is_stored_) {
    flatten();
    found.function = flat_function_;
  } else {
    const FunctionView view = this->view(stored_.back());
    found.function.segments.assign(view.segments.begin(), view.segments.end());
    found.function.end = view.end;
  }
  for (Segment& segment : found.function.segments) segment.value += offset_;
  found.error = later.cost.error + residual_;
  return true;
}

void DynamicProgram::begin(const Problem& problem, const StageCosts& costs, double steepest) {
  steps_ = problem.site.steps();
  costs_ = &costs;
  const double capacity = problem.devices.front().battery.capacity;
  const double money = steepest * capacity;
  tolerances_ = {1e-11 * capacity, 1e-13 * money, 4e-11 * money};
  envelope_.set_tolerances(tolerances_);
  low_.resize(steps_ + 1);
  high_.resize(steps_ + 1);
  low_worth_.resize(steps_ + 1);
  high_worth_.resize(steps_ + 1);
  change_.resize(steps_ + 1);
  tube_.resize(steps_ + 1);
}

void DynamicProgram::begin(const Problem& problem, const StageCosts& costs, const Later& later) {
  later_ = &later.cost;
  keeps_values_ = true;
  double steepest = 0;
  for (std::size_t t = 0; t < problem.site.steps(); ++t) {
    for (const CostSegment& s : costs.segments(t)) steepest = std::max(steepest, std::abs(s.slope));
  }
  for (const Segment& s : later.cost.function.segments) {
    steepest = std::max(steepest, std::abs(s.slope));
  }
  begin(problem, costs, steepest);
  for (std::size_t t = 0; t <= steps_; ++t) {
    const double unit = costs.lossy() ? costs.unit(t) : 1.0;
    low_[t] = later.low[t] / unit;
    high_[t] = later.high[t] / unit;
  }
}

Optimum DynamicProgram::run(const Problem& problem, double start_price, std::span<double> energy,
                            std::span<double> worth) {
  Optimum optimum{false, 0, 0, 0, 0, 0};
  if (!run_backward()) return optimum;
  const Start start = best_start(start_price);
  run_forward(start, energy, worth);
  if (costs_->lossy()) {
    const double high = problem.devices.front().battery.maximum_energy;
    for (std::size_t t = 0; t < steps_; ++t) {
      energy[t] = std::min(energy[t] * costs_->unit(t + 1), high);
      worth[t] /= costs_->unit(t + 1);
    }
  }
  optimum.feasible = true;
  optimum.kinks = costs_->kinks();
  optimum.flat_steps = flat_steps_;
  optimum.lower_bound = keeps_values_ ? offset_ + start.cost - residual_ : dual_bound_;
  optimum.value = keeps_values_ ? offset_ + start.cost : dual_bound_;
  optimum.start = start.energy;
  return optimum;
}

void DynamicProgram::set_limits(const Problem& problem, const Ends& ends) {
  const Device& device = problem.devices.front();
  const Battery& b = device.battery;
  std::fill(low_.begin(), low_.end(), b.minimum_energy);
  std::fill(high_.begin(), high_.end(), b.maximum_energy);
  const std::vector<double> kept = least_energies(problem.site, b);
  std::copy(kept.begin(), kept.end(), low_.begin() + 1);
  const auto narrow = [&](std::size_t t, double least, double most) {
    low_[t] = std::max(low_[t], least);
    high_[t] = std::min(high_[t], most);
    if (low_[t] > high_[t] && low_[t] - high_[t] <= kRounding * b.capacity) high_[t] = low_[t];
  };
  for (const Window& window : device.windows) narrow(window.step + 1, window.low, window.high);
  narrow(steps_, ends.end_low, ends.end_high);
  low_[0] = ends.start_low;
  high_[0] = ends.start_high;
  for (std::size_t t = 0; costs_->lossy() && t <= steps_; ++t) {
    low_[t] /= costs_->unit(t);
    high_[t] /= costs_->unit(t);
  }
}

void DynamicProgram::set_end(const Device& device, double price) {
  const double unit = costs_->lossy() ? costs_->unit(steps_) : 1.0;
  const double low = low_[steps_];
  const double high = high_[steps_];
  std::vector<Segment>& segments = end_function_.segments;
  segments.clear();
  end_function_.end = high;
  end_offset_ = -price * unit * low;
  double value = 0;
  double from = 0;
  const auto add = [&](double worth, double to) {
    worth *= unit;
    end_offset_ -= worth * (std::min(to, low) - std::min(from, low));
    if (to > low && (from < high || segments.empty())) {
      const double start = std::max(from, low);
      const double slope = -(worth + price * unit);
      segments.push_back({start, value, slope});
      value += slope * (std::min(to, high) - start);
    }
    from = to;
  };
  for (const Worth& worth : device.end_worth) add(worth.value, from + worth.width / unit);
  if (from <= low || from < high) add(0, kNoLimit);
}

// Where the value function before the first step and the price of energy there are least together.
DynamicProgram::Start DynamicProgram::best_start(double price) const {
  Start best{start_, 0, price * start_, 0};
  if (!flat_.empty() && flat_[0] != 0) {
    const FunctionView v = view(stored_.back());
    best.energy = v.start();
    best.cost = v.segments.front().value + price * v.start();
    for (std::size_t i = 0; i < v.segments.size(); ++i) {
      for (const double s : {v.segments[i].start, v.end_of(i)}) {
        const double cost = v.segments[i].at(s) + price * s;
        if (cost < best.cost) best = {s, 0, cost, 0};
      }
    }
    return best;
  }
  for (const Worth* w = list_.begin(); w != list_.end() && w->value > price; ++w) {
    best.energy += w->width;
    best.cost -= (w->value - price) * w->width;
  }
  best.energy = std::min(best.energy, end_);
  best.worth = std::min(std::max(price, high_worth_[0]), low_worth_[0]);
  if (low_[0] == high_[0]) {
    best.energy = low_[0];
    best.worth = list_.front().value;
  }
  const double rise = price - best.worth;
  best.bound = rise * (rise > 0 ? low_[0] : high_[0]) + best.worth * best.energy;
  return best;
}

void DynamicProgram::run_forward(const Start& start, std::span<double> energy,
                                 std::span<double> worth) {
  double s = start.energy;
  dual_bound_ = start.bound;
  for (std::size_t t = 0; t < steps_;) {
    if (!flat_.empty() && flat_[t] != 0) {
      while (stored_.back().step <= t) stored_.pop_back();
      const FunctionView later = view(stored_.back());
      const StageCost& f = (*costs_)[t];
      s *= left(t);
      s = best_energy(CostPieces(f, costs_->segments(t)), later, s, tolerances_);
      s = std::clamp(std::clamp(s, low_[t + 1], high_[t + 1]), later.start(), later.end);
      s = later.corner_near(s, kSameCorner * tolerances_.width);
      energy[t] = s;
      worth[t] = -later.segments[later.segment_at(s)].slope;
      ++t;
      continue;
    }
    std::size_t last = t + 1;
    while (last < steps_ && (flat_.empty() || flat_[last] == 0)) ++last;
    double value = start.worth;
    if (t > 0) {
      const FunctionView here = view(stored_.back());
      value = -here.segments[here.segment_at(s)].slope;
    }
    while (!stored_.empty() && stored_.back().step < last) stored_.pop_back();
    const bool known = last < steps_ || later_ != nullptr;
    const Stored* const target = known ? &stored_.back() : nullptr;
    if (costs_->lossy()) {
      run_convex_stretch<true>(t, last, s, value, target, energy, worth);
    } else {
      run_convex_stretch<false>(t, last, s, value, target, energy, worth);
    }
    s = energy[last - 1];
    t = last;
  }
}

// The energies at which one more kWh is worth `value`, or as near as the function's ends allow.
DynamicProgram::Range DynamicProgram::where_worth(const FunctionView& v, double value) {
  Range range{v.start(), v.start()};
  for (std::size_t i = 0; i < v.segments.size(); ++i) {
    if (-v.segments[i].slope > value) range.low = v.end_of(i);
    if (-v.segments[i].slope >= value) range.high = v.end_of(i);
  }
  return range;
}

// From `s` stored before step `first`, and `value` its worth, to the limits after step `last - 1`,
// or to where `target` has the worth that is reached there.
template <bool kLossy>
void DynamicProgram::run_convex_stretch(std::size_t first, std::size_t last, double s, double value,
                                        const Stored* target, std::span<double> energy,
                                        std::span<double> worth) {
  BestChanges* const change = change_.data();  // by steps of the run
  Range* const tube = tube_.data();            // before each step of the run, and after the last
  // Weak duality: with any worths, the least of each step's cost less the worth of its change, and
  // of each pinned energy times the fall of its worth, is no more than the cost of a schedule.
  double bound = -value * s;
  for (std::size_t begin = first; begin < last;) {
    // To the next pin.
    std::size_t length = 0;
    Range aim{low_[last], high_[last]};
    double next = value;
    for (;;) {
      const std::size_t t = begin + length;
      if (kLossy) value /= costs_->left(t);
      worth[t] = value;
      change[length] = costs_->best_changes(t, value);
      bound += change[length++].cost;
      const bool above = value > low_worth_[t + 1];
      const bool below = value < high_worth_[t + 1];
      if (above || below) {
        aim.low = aim.high = above ? low_[t + 1] : high_[t + 1];
        next = above ? low_worth_[t + 1] : high_worth_[t + 1];
        break;
      }
      if (t + 1 == last) break;
    }
    if (begin + length == last && target != nullptr) {
      aim = where_worth(view(*target), value);
    } else if (begin + length == last) {  // what is left at the end
      const FunctionView end = end_function_.view();
      aim = where_worth(end, value);
      const Segment& segment = end.segments[end.segment_at(aim.low)];
      bound += end_offset_ + segment.at(aim.low) + value * aim.low;
      next = value;
    }
    // Backward, from where it can be reached; forward, as little as possible.
    tube[length] = aim;
    Range reached = aim;
    for (std::size_t i = length - 1; i > 0; --i) {
      const double low = low_[begin + i];
      const double high = high_[begin + i];
      const double left = kLossy ? costs_->left(begin + i) : 1.0;
      const double from_low = (reached.low - change[i].high) / left;
      const double from_high = (reached.high - change[i].low) / left;
      reached.low = std::min(std::max(low, from_low), high);
      reached.high = std::max(std::min(high, from_high), reached.low);
      tube[i] = reached;
    }
    for (std::size_t i = 0; i < length; ++i) {
      const std::size_t t = begin + i;
      if (kLossy) s *= costs_->left(t);
      const double least = std::min(s + change[i].low, high_[t + 1]);
      const double most = std::max(s + change[i].high, low_[t + 1]);
      s = std::min(std::max(s, tube[i + 1].low), tube[i + 1].high);
      s = std::min(std::max(s, least), most);
      energy[t] = s;
    }
    const double fall = value - next;
    bound += fall * (fall > 0 ? low_[begin + length] : high_[begin + length]);
    value = next;
    begin += length;
  }
  dual_bound_ += bound;
}

}  // namespace bess
