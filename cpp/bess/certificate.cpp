#include "bess/certificate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace bess {
namespace {

// The largest difference of `now` against lines that it must not be above.
class Comparison {
 public:
  Comparison(const FunctionView& now, double width) : now_(now), width_(width) {}

  // The line through (from, value), up to `to`. `place` is where the search begins, and left where
  // it ended: lines come in order.
  void with_line(double from, double to, double value, double slope, std::size_t& place) {
    const double first = std::max(from, now_.start());
    const double last = std::min(to, now_.end);
    if (first > last) return;
    const std::size_t count = now_.segments.size();
    while (place + 1 < count && now_.segments[place + 1].start < first) ++place;
    while (place > 0 && now_.segments[place].start >= first) --place;  // what ends here, too
    std::size_t i = place;
    const bool is_short = last - first <= width_;
    double lowest = kNoLimit;  // of what a short line touches
    for (; i < count && now_.segments[i].start <= last; ++i) {
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
      std::size_t place = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const Segment& segment = later.segments[i];
        if ((-segment.slope < below || -segment.slope > above) && !later.is_point(i)) continue;
        comparison.with_line(segment.start - corners[k].change, later.end_of(i) - corners[k].change,
                             corners[k].cost + segment.value, segment.slope, place);
      }
    }
    // At an end of a segment of the later function, in a segment of the cost.
    std::array<std::size_t, StageCostBuilder::kMostSegments> places{};
    for (std::size_t i = 0; i <= count; ++i) {
      const bool inside = i < count && joins(i);
      const double below = inside ? -later.segments[i].slope : -kNoLimit;
      const double above = inside ? -later.segments[i - 1].slope : kNoLimit;
      for (std::size_t k = 0; k + 1 < corners.size(); ++k) {
        if (corners[k].slope < below || corners[k].slope > above) continue;
        const auto compare = [&](double s, double value) {
          comparison.with_line(s - corners[k + 1].change, s - corners[k].change,
                               corners[k + 1].cost + value, -corners[k].slope, places[k]);
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
