// Folding walks the breakpoints of both functions. Which is lower is known at the start of every
// interval and changes inside it at most once, since both are linear there; it changes only where
// the difference is more than rounding, so that two functions that run together do not alternate.
#include "bess/piecewise_linear.hpp"

#include <algorithm>
#include <cmath>

namespace bess {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

bool FunctionView::begins_piece(std::size_t i, const Tolerances& tolerances) const {
  if (i == 0 || is_point(i) || is_point(i - 1)) return true;
  const Segment& before = segments[i - 1];
  const Segment& segment = segments[i];
  return segment.slope < before.slope ||
         !(std::abs(before.at(segment.start) - segment.value) <= tolerances.jump);
}

bool FunctionView::is_convex(const Tolerances& tolerances) const {
  for (std::size_t i = 1; i < segments.size(); ++i) {
    if (begins_piece(i, tolerances)) return false;
  }
  return true;
}

std::size_t FunctionView::segment_at(double s) const {
  const auto above = std::upper_bound(segments.begin(), segments.end(), s,
                                      [](double at, const Segment& x) { return at < x.start; });
  return above == segments.begin() ? 0 : static_cast<std::size_t>(above - segments.begin()) - 1;
}

double FunctionView::corner_near(double s, double rounding) const {
  const std::size_t i = segment_at(s);
  if (std::abs(s - segments[i].start) <= rounding) return segments[i].start;
  return std::abs(end_of(i) - s) <= rounding ? end_of(i) : s;
}

void Envelope::start(double low, double high) {
  own_.segments.assign(1, {low, kInfinity, 0.0});
  own_.end = high;
}

void Envelope::emit(double start, double value, double slope) {
  while (!out_.empty() && !last_is_point_) {
    const Segment& last = out_.back();
    if (last.slope == slope && (std::abs(last.at(start) - value) <= tolerances_.jump ||
                                (std::isinf(last.value) && std::isinf(value)))) {
      return;
    }
    if (start - last.start >= tolerances_.width) break;
    if (std::isfinite(value)) value -= slope * (start - last.start);
    start = last.start;
    out_.pop_back();
    const std::size_t n = out_.size();
    last_is_point_ = n > 0 && out_[n - 1].start >= start;
  }
  out_.push_back({start, value, slope});
  last_is_point_ = false;
}

void Envelope::emit_point(double at, double value) {
  out_.push_back({at, value, 0.0});
  last_is_point_ = true;
}

void Envelope::fold_point(double at, double value) {
  const FunctionView own = own_.view();
  double lowest = kInfinity;
  std::size_t place = own_.segments.size();
  for (std::size_t i = 0; i < own_.segments.size(); ++i) {
    if (own_.segments[i].start > at) break;
    if (own.end_of(i) < at) continue;
    lowest =
        std::min(lowest, std::isinf(own_.segments[i].value) ? kInfinity : own_.segments[i].at(at));
    place = i;
  }
  if (place == own_.segments.size() || value >= lowest - tolerances_.value) return;
  const Segment segment = own_.segments[place];
  const bool whole = segment.start >= at;  // the point goes before it, or in its stead
  if (own.is_point(place)) {
    own_.segments[place] = {at, value, 0.0};
  } else if (whole) {
    own_.segments.insert(own_.segments.begin() + static_cast<std::ptrdiff_t>(place),
                         {at, value, 0.0});
  } else {
    const bool rest = own.end_of(place) > at;
    auto where = own_.segments.begin() + static_cast<std::ptrdiff_t>(place) + 1;
    where = own_.segments.insert(where, {at, value, 0.0});
    if (rest) {
      own_.segments.insert(
          where + 1, {at, std::isinf(segment.value) ? kInfinity : segment.at(at), segment.slope});
    }
  }
}

void Envelope::fold(const PiecewiseLinear& other) {
  if (other.segments.empty()) return;
  const double first = other.segments.front().start;
  if (other.segments.size() == 1 && other.end <= first) {
    fold_point(first, other.segments.front().value);
    return;
  }
  const FunctionView own = own_.view();
  const FunctionView theirs = other.view();
  const std::size_t own_count = own_.segments.size();
  const std::size_t other_count = other.segments.size();
  const auto keep = [&](std::size_t i, double from) {
    const Segment& segment = own_.segments[i];
    if (own.is_point(i)) {
      emit_point(segment.start, segment.value);
    } else {
      emit(from, std::isinf(segment.value) ? kInfinity : segment.at(from), segment.slope);
    }
  };
  // What lies before the other function stays as it is.
  std::size_t i = own_.segments.front().start < first ? own.segment_at(first) : 0;
  while (i > 0 && own_.segments[i - 1].start >= first) --i;
  if (i < own_count && own_.segments[i].start < first && own.end_of(i) <= first) ++i;
  const auto begin = own_.segments.begin();
  out_.assign(begin, begin + static_cast<std::ptrdiff_t>(i));
  last_is_point_ = i > 0 && own.is_point(i - 1);
  if (i < own_count && own_.segments[i].start < first) keep(i, own_.segments[i].start);

  double s = first;
  bool other_wins = false;
  std::size_t j = 0;
  while (i < own_count && j < other_count) {
    const Segment& a = own_.segments[i];
    const Segment& b = other.segments[j];
    const double a_end = own.end_of(i);
    const double b_end = theirs.end_of(j);
    if (own.is_point(i)) {
      if (a.start > b_end) {
        ++j;
        continue;
      }
      if (a.value < b.at(a.start) - tolerances_.value) emit_point(a.start, a.value);
      ++i;
      continue;
    }
    const double next = std::min(a_end, b_end);
    if (next > s) {
      const bool defined = std::isfinite(a.value);
      const double b0 = b.at(s);
      const double d0 = defined ? b0 - a.at(s) : -kInfinity;
      const double d1 = defined ? b.at(next) - a.at(next) : -kInfinity;
      if (std::abs(d0) > tolerances_.value) other_wins = d0 < 0;
      const bool changes = other_wins ? d1 > tolerances_.value : d1 < -tolerances_.value;
      const auto write = [&](bool from_other, double from) {
        if (from_other) {
          emit(from, b.at(from), b.slope);
        } else {
          emit(from, a.at(from), a.slope);
        }
      };
      const bool inside = (d0 < 0) != (d1 < 0) && d0 != 0;
      const double cross = inside ? s + (next - s) * (d0 / (d0 - d1)) : s;
      if (!changes) {
        write(other_wins, s);
      } else {
        if (cross > s) write(other_wins, s);
        other_wins = !other_wins;
        write(other_wins, std::min(cross, next));
      }
      s = next;
    }
    if (a_end <= next) ++i;
    if (b_end <= next) ++j;
  }
  const double other_end_value = other.segments.back().at(other.end);
  std::size_t kept = 0;  // behind the other function; two may melt into what is before them
  for (bool partly = true; i < own_count && kept < 2; ++i, partly = false) {
    if (own.is_point(i) && own_.segments[i].start <= other.end &&
        own_.segments[i].value >= other_end_value - tolerances_.value) {
      continue;
    }
    if (own.end_of(i) < s || (own.end_of(i) <= s && !own.is_point(i))) continue;
    keep(i, partly ? std::max(s, own_.segments[i].start) : own_.segments[i].start);
    ++kept;
  }
  if (i < own_count) {
    out_.insert(out_.end(), begin + static_cast<std::ptrdiff_t>(i), own_.segments.end());
    last_is_point_ = own.is_point(own_count - 1);
  }
  while (out_.size() > 1 && !last_is_point_ && own_.end - out_.back().start < tolerances_.width &&
         own_.end > out_.front().start) {
    out_.pop_back();
    const std::size_t n = out_.size();
    last_is_point_ = n > 1 && out_[n - 1].start <= out_[n - 2].start;
    if (last_is_point_) break;
  }
  own_.segments.swap(out_);
}

}  // namespace bess
