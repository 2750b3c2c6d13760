#include "bess/certificate.hpp"

#include <algorithm>
#include <cmath>

namespace bess {
namespace {

// The largest difference of `now` against lines that it must not be above.
class Comparison {
 public:
  Comparison(const FunctionView& now, double width) : now_(now), width_(width) {}

  // The line through (from, value), up to `to`.
  void with_line(double from, double to, double value, double slope) {
    const double first = std::max(from, now_.start());
    const double last = std::min(to, now_.end);
    if (first > last) return;
    std::size_t i = now_.segment_at(first);
    while (i > 0 && now_.segments[i].start >= first) --i;  // what ends here, too
    const bool is_short = last - first <= width_;
    double lowest = kNoLimit;  // of what a short line touches
    for (; i < now_.segments.size() && now_.segments[i].start <= last; ++i) {
      const Segment& segment = now_.segments[i];
      const double begin = std::max(first, segment.start);
      const double end = std::min(last, now_.end_of(i));
      if (begin > end) continue;
      if (is_short || now_.is_point(i)) {
        const double above = segment.at(begin) - (value + slope * (begin - from));
        if (is_short) {
          lowest = std::min(lowest, above);
        } else {
          most_ = std::max(most_, above);
        }
      } else if (end - begin > width_) {
        most_ = std::max({most_, segment.at(begin) - (value + slope * (begin - from)),
                          segment.at(end) - (value + slope * (end - from))});
      }
    }
    if (is_short && lowest < kNoLimit) most_ = std::max(most_, lowest);
  }
  double most() const { return most_; }

 private:
  const FunctionView& now_;
  double width_;
  double most_ = 0;
};

}  // namespace

double convex_residual(const StageCost& cost, std::span<const CostSegment> segments,
                       const ConvexView& now, const ConvexView& later) {
  double most = 0;
  double s = now.start;
  double value = now.value;
  std::size_t i = 0;  // of the later function: the first slope that is not worth more
  double later_s = later.start;
  double later_value = later.value;
  std::size_t k = segments.size();  // of the cost: segments that cost no more
  double change = cost.most;
  double money = cost.cost_at_least;
  double from = cost.least;
  for (const CostSegment& segment : segments) {
    money += segment.slope * (segment.end - from);
    from = segment.end;
  }
  for (const Worth& worth : now.worths) {
    while (i < later.worths.size() && later.worths[i].value > worth.value) {
      later_s += later.worths[i].width;
      later_value -= later.worths[i].value * later.worths[i].width;
      ++i;
    }
    while (k > 0 && segments[k - 1].slope > worth.value) {
      const double begin = k > 1 ? segments[k - 2].end : cost.least;
      money -= segments[k - 1].slope * (change - begin);
      change = begin;
      --k;
    }
    // min over x and s' of cost(x) + later(s') + worth * (s' - x) is no more than now(s) + worth s.
    const double least = money + later_value + worth.value * (later_s - change);
    most = std::max(most, value + worth.value * s - least);
    s += worth.width;
    value -= worth.value * worth.width;
  }
  return most;
}

double residual(const CostPieces& cost, const FunctionView& now, const FunctionView& later,
                const Tolerances& tolerances) {
  Comparison comparison(now, tolerances.width);
  double widest = 0;  // of the jumps that are taken for none
  const std::size_t count = later.segments.size();
  const auto joins = [&](std::size_t i) {  // without a jump to the segment before it
    if (i == 0 || later.is_point(i) || later.is_point(i - 1)) return false;
    const Segment& before = later.segments[i - 1];
    const double jump = std::abs(before.at(later.segments[i].start) - later.segments[i].value);
    if (jump > tolerances.jump) return false;
    widest = std::max(widest, jump);
    return true;
  };
  for (std::size_t p = 0; p < cost.count(); ++p) {
    const std::span<const CostPieces::Corner> corners = cost.piece(p);
    // At a corner of the cost, and in a segment of the later function whose slope is between.
    for (std::size_t k = 0; k < corners.size(); ++k) {
      const double below = k > 0 ? corners[k - 1].slope : -kNoLimit;
      const double above = k + 1 < corners.size() ? corners[k].slope : kNoLimit;
      for (std::size_t i = 0; i < count; ++i) {
        const Segment& segment = later.segments[i];
        if (!later.is_point(i) && (-segment.slope < below || -segment.slope > above)) continue;
        comparison.with_line(segment.start - corners[k].change, later.end_of(i) - corners[k].change,
                             corners[k].cost + segment.value, segment.slope);
      }
    }
    // At an end of a segment of the later function, in a segment of the cost.
    for (std::size_t i = 0; i <= count; ++i) {
      const bool inside = i < count && joins(i);
      const double below = inside ? -later.segments[i].slope : -kNoLimit;
      const double above = inside ? -later.segments[i - 1].slope : kNoLimit;
      for (std::size_t k = 0; k + 1 < corners.size(); ++k) {
        if (corners[k].slope < below || corners[k].slope > above) continue;
        const auto compare = [&](double s, double value) {
          comparison.with_line(s - corners[k + 1].change, s - corners[k].change,
                               corners[k + 1].cost + value, -corners[k].slope);
        };
        if (i < count) compare(later.segments[i].start, later.segments[i].value);
        if (!inside && i > 0 && !later.is_point(i - 1)) {
          compare(later.end_of(i - 1), later.segments[i - 1].at(later.end_of(i - 1)));
        }
      }
    }
  }
  return comparison.most() + widest;
}

}  // namespace bess
