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

namespace bess {
namespace {

constexpr double kInfinity = kNoLimit;

}  // namespace

Optimum DynamicProgram::solve(const Problem& problem, std::span<double> energy,
                              std::span<double> worth) {
  assert(problem.devices.size() == 1 && !problem.cyclic);
  steps_ = problem.site.steps();
  set_limits(problem);
  Optimum optimum{false, 0, 0, 0, 0};
  if (!costs_.build(problem)) return optimum;
  const double capacity = problem.devices.front().battery.capacity;
  const double money = costs_.steepest() * capacity;
  tolerances_ = {1e-11 * capacity, 1e-13 * money, 4e-11 * money};
  envelope_.set_tolerances(tolerances_);
  if (!run_backward()) return optimum;
  run_forward(energy, worth);
  optimum.feasible = true;
  optimum.kinks = costs_.kinks();
  optimum.flat_steps = flat_steps_;
  optimum.lower_bound = costs_.kinks() == 0 ? dual_bound(worth) : offset_ - residual_;
  optimum.value = costs_.kinks() == 0 ? optimum.lower_bound : offset_;
  return optimum;
}

void DynamicProgram::set_limits(const Problem& problem) {
  const Device& device = problem.devices.front();
  const Battery& b = device.battery;
  low_.assign(steps_ + 1, b.minimum_energy);
  high_.assign(steps_ + 1, b.maximum_energy);
  low_worth_.resize(steps_ + 1);
  high_worth_.resize(steps_ + 1);
  for (const Window& window : device.windows) {
    double& low = low_[window.step + 1];
    double& high = high_[window.step + 1];
    low = std::max(low, window.low);
    high = std::min(high, window.high);
  }
  low_[0] = high_[0] = b.initial_energy;
  change_.resize(steps_ + 1);
  tube_.resize(steps_ + 1);
}

bool DynamicProgram::run_backward() {
  const double rounding = tolerances_.width;
  double low = low_[steps_];
  double high = high_[steps_];
  if (low > high) {
    if (low - high > rounding) return false;
    low = high;
  }
  list_.clear();
  list_.append({0.0, high - low});
  start_ = low;
  end_ = high;
  offset_ = residual_ = 0;
  low_worth_[steps_] = high_worth_[steps_] = 0;
  convex_ = true;
  is_stored_ = false;
  flat_steps_ = 0;
  arena_.clear();
  stored_.clear();
  flat_.clear();
  if (costs_.kinks() > 0) flat_.assign(steps_, 0);
  for (std::size_t t = steps_; t-- > 0;) {
    const bool done =
        convex_ && costs_[t].convex ? add_convex_step(t) : add_flat_step(t);
    if (!done) return false;
  }
  return true;
}

bool DynamicProgram::add_convex_step(std::size_t t) {
  const StageCost& f = costs_[t];
  is_stored_ = false;
  const double low = low_[t];
  const double high = high_[t];
  const double room_low = start_ - low;    // changes above it lead below the lower limit
  const double room_high = high - end_;
  if (room_low - f.most > high - low + tolerances_.width ||
      room_high + f.least > high - low + tolerances_.width || low > high) {
    return false;
  }
  // Changes that would be cut off at once are left out.
  const std::span<const CostSegment> segments = costs_.segments(t);
  std::size_t last = f.count;
  double most = f.most;
  for (; last > 0 && segments[last - 1].slope >= list_.front().value; --last) {
    const double from = last > 1 ? segments[last - 2].end : f.least;
    if (from < room_low) break;
    most = from;
  }
  std::size_t first = 0;
  double least = f.least;
  for (; first < last && segments[first].slope <= list_.back().value; ++first) {
    if (-segments[first].end < room_high) break;
    least = segments[first].end;
  }
  if (costs_.kinks() > 0) later_.assign(list_.begin(), list_.end());
  const double later_start = start_;
  double from = least;
  for (std::size_t i = first; i < last; ++i) {
    const double width = segments[i].end - from;
    if (width > 0) list_.insert(segments[i].slope, width);
    from = segments[i].end;
  }
  double value = f.cost_at_least;  // of the function at its start, against the later one at its
  if (costs_.kinks() > 0) {
    from = f.least;
    for (std::size_t i = 0; i < last; ++i) {
      value += segments[i].slope * (segments[i].end - from);
      from = segments[i].end;
    }
  }
  low_worth_[t] = kInfinity;
  high_worth_[t] = -kInfinity;
  if (f.most > room_low) {
    value -= list_.cut_low(std::max(most - room_low, 0.0));
    start_ = low;
    low_worth_[t] = list_.front().value;
  } else {
    start_ -= f.most;
  }
  if (-f.least > room_high) {
    list_.cut_high(std::max(-least - room_high, 0.0));
    end_ = high;
    high_worth_[t] = list_.back().value;
  } else {
    end_ -= f.least;
  }
  if (start_ > end_) start_ = end_ = std::clamp(start_, low, high);  // touched by rounding only
  if (costs_.kinks() > 0) {
    residual_ += convex_residual(f, segments, {{list_.begin(), list_.end()}, start_, value},
                                 {later_, later_start, 0.0});
    offset_ += value;
  }
  return true;
}

void DynamicProgram::store(std::size_t t, const PiecewiseLinear& function) {
  stored_.push_back({t, arena_.size(), function.segments.size(), function.end});
  arena_.insert(arena_.end(), function.segments.begin(), function.segments.end());
}

void DynamicProgram::flatten() {
  flat_function_.segments.clear();
  double s = start_;
  double value = 0;
  for (const Worth& worth : list_) {
    flat_function_.segments.push_back({s, value, -worth.value});
    s += worth.width;
    value -= worth.value * worth.width;
  }
  flat_function_.end = end_;
  while (flat_function_.segments.size() > 1 &&
         flat_function_.segments.back().start >= end_) {
    flat_function_.segments.pop_back();
  }
}

void DynamicProgram::to_list(const PiecewiseLinear& function) {
  const FunctionView f = function.view();
  list_.clear();
  for (std::size_t i = 0; i < f.segments.size(); ++i) {
    list_.append({-f.segments[i].slope, f.end_of(i) - f.segments[i].start});
  }
  start_ = f.start();
  end_ = f.end;
}

bool DynamicProgram::add_flat_step(std::size_t t) {
  if (convex_ && !is_stored_) {
    flatten();
    store(t + 1, flat_function_);
  }
  const FunctionView later = view(stored_.back());
  const StageCost& f = costs_[t];
  double low = std::max(low_[t], later.start() - f.most);
  double high = std::min(high_[t], later.end - f.least);
  if (low > high) {
    if (low - high > tolerances_.width) return false;
    low = high = std::clamp(low, low_[t], high_[t]);
  }
  const CostPieces cost(f, costs_.segments(t));
  add_step(cost, later, low, high, tolerances_, scratch_, envelope_);
  flat_[t] = 1;
  ++flat_steps_;
  PiecewiseLinear& found = envelope_.result();
  residual_ += residual(cost, found.view(), later, tolerances_);
  const double base = found.segments.front().value;  // the values stay small: only their differences count
  for (Segment& segment : found.segments) segment.value -= base;
  offset_ += base;
  store(t, found);
  is_stored_ = true;
  convex_ = found.view().is_convex(tolerances_);
  if (convex_) {
    to_list(found);
    low_worth_[t] = -found.segments.front().slope;
    high_worth_[t] = -found.segments.back().slope;
  }
  return true;
}

void DynamicProgram::run_forward(std::span<double> energy, std::span<double> worth) {
  double s = low_[0];
  for (std::size_t t = 0; t < steps_;) {
    if (!flat_.empty() && flat_[t] != 0) {
      while (stored_.back().step <= t) stored_.pop_back();
      const FunctionView later = view(stored_.back());
      const StageCost& f = costs_[t];
      s += best_change(CostPieces(f, costs_.segments(t)), later, s, tolerances_);
      s = std::clamp(std::clamp(s, low_[t + 1], high_[t + 1]), later.start(), later.end);
      energy[t] = s;
      worth[t] = -later.segments[later.segment_at(s)].slope;
      ++t;
      continue;
    }
    std::size_t last = t + 1;
    while (last < steps_ && (flat_.empty() || flat_[last] == 0)) ++last;
    double value = list_.front().value;
    if (t > 0) {
      const FunctionView here = view(stored_.back());
      value = -here.segments[here.segment_at(s)].slope;
    }
    while (!stored_.empty() && stored_.back().step < last) stored_.pop_back();
    worth[t] = value;
    tube_[t] = {s, s};
    run_convex_stretch(t, last, last < steps_ ? &stored_.back() : nullptr, energy, worth);
    s = energy[last - 1];
    t = last;
  }
}

DynamicProgram::Range DynamicProgram::marginal_range(std::size_t t, double worth) const {
  double low = costs_[t].least;
  double high = low;
  for (const CostSegment& segment : costs_.filled_segments(t)) {
    low = segment.slope < worth ? segment.end : low;
    high = segment.slope <= worth ? segment.end : high;
  }
  return {low, high};
}

// From tube_[first].low stored and worth[first] to the limits, or to where `target` has the worth
// that is reached there.
void DynamicProgram::run_convex_stretch(std::size_t first, std::size_t last, const Stored* target,
                                        std::span<double> energy, std::span<double> worth) {
  double s = tube_[first].low;
  double value = worth[first];
  for (std::size_t begin = first; begin < last;) {
    // To the next pin.
    std::size_t end = begin;
    Range aim{low_[last], high_[last]};
    double next = value;
    for (;; ++end) {
      worth[end] = value;
      change_[end] = marginal_range(end, value);
      const bool above = value > low_worth_[end + 1];
      const bool below = value < high_worth_[end + 1];
      if (above || below) {
        aim.low = aim.high = above ? low_[end + 1] : high_[end + 1];
        next = above ? low_worth_[end + 1] : high_worth_[end + 1];
        break;
      }
      if (end + 1 == last) break;
    }
    if (end + 1 == last && target != nullptr) {
      const FunctionView v = view(*target);
      aim = {v.start(), v.start()};
      for (std::size_t i = 0; i < v.segments.size(); ++i) {
        if (-v.segments[i].slope > value) aim.low = v.end_of(i);
        if (-v.segments[i].slope >= value) aim.high = v.end_of(i);
      }
    }
    // Backward, from where it can be reached; forward, as little as possible.
    tube_[end + 1] = aim;
    for (std::size_t t = end; t > begin; --t) {
      Range& here = tube_[t];
      here.low = std::max(low_[t], tube_[t + 1].low - change_[t].high);
      here.high = std::min(high_[t], tube_[t + 1].high - change_[t].low);
      if (here.low > here.high) here.low = here.high = std::clamp(here.low, low_[t], high_[t]);
    }
    for (std::size_t t = begin; t <= end; ++t) {
      double after = std::clamp(s, tube_[t + 1].low, tube_[t + 1].high);
      const double change = after - s;
      if (change < change_[t].low) after = s + change_[t].low;
      if (change > change_[t].high) after = s + change_[t].high;
      s = std::clamp(after, low_[t + 1], high_[t + 1]);
      energy[t] = s;
    }
    value = next;
    begin = end + 1;
  }
}

double DynamicProgram::dual_bound(std::span<const double> worth) const {
  double bound = -worth[0] * low_[0];
  for (std::size_t t = 0; t < steps_; ++t) {
    const StageCost& f = costs_[t];
    const double price = worth[t];
    double least = f.cost_at_least - price * f.least;
    double from = f.least;
    for (const CostSegment& segment : costs_.filled_segments(t)) {
      least += std::min(segment.slope - price, 0.0) * (segment.end - from);
      from = segment.end;
    }
    const double kept = price - (t + 1 < steps_ ? worth[t + 1] : 0.0);
    bound += least + kept * (kept > 0 ? low_[t + 1] : high_[t + 1]);
  }
  return bound;
}

}  // namespace bess
