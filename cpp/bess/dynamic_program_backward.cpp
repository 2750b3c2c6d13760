// The way back through the steps: the value function as a list of slopes while it is convex, else
// as a row of convex pieces.
#include <algorithm>
#include <array>
#include <cmath>

#include "bess/dynamic_program.hpp"

namespace bess {
namespace {

constexpr double kInfinity = kNoLimit;

}  // namespace

bool DynamicProgram::run_backward() {
  convex_ = true;
  is_stored_ = false;
  residual_ = 0;
  flat_steps_ = 0;
  arena_.clear();
  stored_.clear();
  flat_.clear();
  if (keeps_values_) flat_.assign(steps_, 0);
  if (later_ != nullptr) {
    double low = low_[steps_];
    const double high = high_[steps_];
    if (low - high > tolerances_.width) return false;
    low = std::min(low, high);
    if (!begin_with_later(low, high)) return false;
  } else {
    to_list(end_function_);
    offset_ = end_offset_;
    low_worth_[steps_] = kInfinity;
    high_worth_[steps_] = -kInfinity;
    if (keeps_values_) {
      store(steps_, end_function_);
      is_stored_ = true;
    }
  }
  const bool lossy = costs_->lossy();
  for (std::size_t t = steps_; t > 0;) {
    const bool flat = !convex_ || !(*costs_)[t - 1].convex;
    const bool done = flat    ? add_flat_step(t - 1)
                      : lossy ? add_convex_steps<true>(t)
                              : add_convex_steps<false>(t);
    if (!done) return false;
    if (flat) --t;
  }
  return true;
}

// The cost of what follows, in the units after the last step, within [low, high].
bool DynamicProgram::begin_with_later(double low, double high) {
  const double unit = costs_->lossy() ? costs_->unit(steps_) : 1.0;
  PiecewiseLinear& now = scratch_;
  now.segments.clear();
  const FunctionView later = later_->function.view();
  offset_ = later.segments.front().value;
  for (std::size_t i = 0; i < later.segments.size(); ++i) {
    const Segment& segment = later.segments[i];
    const double start = std::max(segment.start / unit, low);
    const double end = std::min(later.end_of(i) / unit, high);
    if (start > end || (start == end && !later.is_point(i) && low < high)) continue;
    const double value = segment.at(start * unit) - offset_;
    if (low == high && !now.segments.empty()) {
      now.segments.front().value = std::min(now.segments.front().value, value);
      continue;
    }
    now.segments.push_back({start, value, segment.slope * unit});
    now.end = end;
  }
  if (now.segments.empty()) return false;
  low_[steps_] = now.segments.front().start;
  high_[steps_] = now.end;
  store(steps_, now);
  is_stored_ = true;
  convex_ = now.view().is_convex(tolerances_);
  to_list(now);
  low_worth_[steps_] = -now.segments.front().slope;
  high_worth_[steps_] = -now.segments.back().slope;
  return true;
}

// Adds the steps before `next` up to the first that is not convex, which becomes `next`.
template <bool kLossy>
bool DynamicProgram::add_convex_steps(std::size_t& next) {
  is_stored_ = false;
  double start = start_;
  double end = end_;
  std::size_t t = next;
  // Where self-discharge is made good without end, an end that touches the limit is cut there: else
  // what energy is worth would grow without end, too.
  const double touch = kLossy ? 1e-3 * tolerances_.width : 0.0;
  while (t > 0 && (*costs_)[t - 1].convex) {
    --t;
    const StageCost& f = (*costs_)[t];
    const double left = kLossy ? costs_->left(t) : 1.0;
    const double low = low_[t] * left;  // in the units after the step, as long as they are cut
    const double high = high_[t] * left;
    const double room_low = start - low;  // a greater change comes from below the lower limit
    const double room_high = high - end;
    const double width = high - low + tolerances_.width;
    if (room_low - f.most > width || room_high + f.least > width || low > high) return false;
    // Changes that would be cut off at once are left out.
    const std::span<const CostSegment> segments = costs_->segments(t);
    std::size_t last = segments.size();
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
    std::array<std::size_t, StageCostBuilder::kMostSegments> places;
    for (std::size_t i = first; i < last; ++i) places[i] = list_.place_of(segments[i].slope);
    double from = least;
    for (std::size_t i = first; i < last; ++i) {
      if (segments[i].end > from) {
        list_.insert(places[i], {segments[i].slope, segments[i].end - from});
      }
      from = segments[i].end;
    }
    double low_worth = kInfinity;
    double high_worth = -kInfinity;
    if (f.most > room_low - touch) {
      list_.cut_low(std::max(most - room_low, 0.0));
      start = low;
      low_worth = list_.front().value;
    } else {
      start -= f.most;
    }
    if (-f.least > room_high - touch) {
      list_.cut_high(std::max(-least - room_high, 0.0));
      end = high;
      high_worth = list_.back().value;
    } else {
      end -= f.least;
    }
    low_worth_[t] = low_worth * left;
    high_worth_[t] = high_worth * left;
    if (start > end) start = end = std::clamp(start, low, high);  // touched by rounding only
    if (kLossy && left != 1.0) {
      start /= left;
      end /= left;
      list_.stretch(1.0 / left, end - start);
    }
  }
  start_ = start;
  end_ = end;
  if (keeps_values_) offset_ += most_allowed(t, next);
  next = t;
  return true;
}

// The value at the start of the list, before step `first`, against that of the function last
// stored, before step `last`: as high as weak duality allows. From each slope of the list the worth
// is followed through the steps as on the way forward, and bounds the least cost by a line of that
// slope. Worths that meet at a limit go on as one.
double DynamicProgram::most_allowed(std::size_t first, std::size_t last) {
  lines_.clear();
  double s = start_;
  double value = 0;
  for (const Worth& worth : list_) {
    lines_.push_back({worth.value, value + worth.value * s});
    s += worth.width;
    value -= worth.value * worth.width;
  }
  Line* begin = lines_.data();
  Line* end = begin + lines_.size();
  for (std::size_t t = first; t < last; ++t) {
    const double left = this->left(t);
    for (Line* line = begin; line != end; ++line) {
      line->worth /= left;
      line->excess -= costs_->best_changes(t, line->worth).cost;
    }
    if (t + 1 == last) break;
    const auto held = [](const Line& line, double worth, double energy) {
      return Line{worth, line.excess - (line.worth - worth) * energy};
    };
    if (begin->worth > low_worth_[t + 1]) {
      Line one = held(*begin, low_worth_[t + 1], low_[t + 1]);
      while (++begin != end && begin->worth >= one.worth) {
        one.excess = std::max(one.excess, held(*begin, one.worth, low_[t + 1]).excess);
      }
      *--begin = one;
    }
    if (end[-1].worth < high_worth_[t + 1]) {
      Line one = held(end[-1], high_worth_[t + 1], high_[t + 1]);
      while (--end != begin && end[-1].worth <= one.worth) {
        one.excess = std::max(one.excess, held(end[-1], one.worth, high_[t + 1]).excess);
      }
      *end++ = one;
    }
  }
  // The stored function as its slopes alone tell it, and by how much that may be wrong.
  const FunctionView later = view(stored_.back());
  double most = -kInfinity;
  double error = 0;
  std::size_t i = 0;
  s = later.start();
  value = later.segments.front().value;
  for (const Line* line = begin;; ++line) {
    for (; i < later.segments.size() && (line == end || -later.segments[i].slope > line->worth);
         ++i) {
      error = std::max(error, std::abs(later.segments[i].value - value));
      value += later.segments[i].slope * (later.end_of(i) - s);
      s = later.end_of(i);
    }
    if (line == end) break;
    most = std::max(most, line->excess - (value + line->worth * s));
  }
  return -(most + error);
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
  while (flat_function_.segments.size() > 1 && flat_function_.segments.back().start >= end_) {
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
  const StageCost& f = (*costs_)[t];
  const double left = this->left(t);
  double low = std::max(low_[t] * left, later.start() - f.most);
  double high = std::min(high_[t] * left, later.end - f.least);
  if (low > high) {
    if (low - high > tolerances_.width) return false;
    low = high = std::clamp(low, low_[t] * left, high_[t] * left);
  }
  const CostPieces cost(f, costs_->segments(t));
  add_step(cost, later, low, high, tolerances_, scratch_, envelope_);
  flat_[t] = 1;
  ++flat_steps_;
  PiecewiseLinear& found = envelope_.result();
  residual_ += residual(cost, found.view(), later, tolerances_);
  const double base =
      found.segments.front().value;  // the values stay small: only their differences count
  for (Segment& segment : found.segments) {
    segment = {segment.start / left, segment.value - base, segment.slope * left};
  }
  found.end /= left;
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

}  // namespace bess
