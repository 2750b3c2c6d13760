// The infimal convolution of two functions is the lower envelope of those of their convex pieces,
// and of two convex pieces it is a merge of their slopes. The pieces stay few: a concave kink moves
// through the battery's range as energy is stored and drawn, and leaves it at an end.
#include "bess/value_function.hpp"

#include <algorithm>
#include <cmath>

namespace bess {
namespace {

using Corners = std::span<const CostPieces::Corner>;

// The merge of one piece of `later` (segments [first, last)) with one of the cost, within limits.
void merge(Corners cost, const FunctionView& later, std::size_t first, std::size_t last, double low,
           double high, double tolerance, PiecewiseLinear& out) {
  out.segments.clear();
  const Segment* v = later.segments.data();
  const double v_end = later.end_of(last - 1);
  const double v_last = v[last - 1].at(v_end);
  std::size_t i = later.is_point(first) ? last : first;
  std::size_t k = cost.size() - 1;
  double energy = v[first].start;  // of the later function
  double worth = v[first].value;
  const double from = energy - cost[k].change;
  const double to = v_end - cost[0].change;
  if (to < low - tolerance || from > high + tolerance) return;
  double s = from;
  double value = worth + cost[k].cost;
  while (s < high && (i < last || k > 0)) {
    double slope;
    if (k == 0 || (i < last && v[i].slope <= -cost[k - 1].slope)) {
      slope = v[i].slope;
      ++i;
      energy = i < last ? v[i].start : v_end;
      worth = i < last ? v[i].value : v_last;
    } else {
      slope = -cost[k - 1].slope;
      --k;
    }
    const double next = energy - cost[k].change;
    if (next > low && next > s) {
      const double begin = std::max(s, low);
      out.segments.push_back({begin, value + slope * (begin - s), slope});
    }
    s = std::max(next, s);
    value = worth + cost[k].cost;
  }
  if (out.segments.empty()) {  // it only touches the limits
    const double point = std::clamp(s, low, high);
    out.segments.push_back({point, value, 0.0});
    out.end = point;
  } else {
    out.end = std::min(s, high);
  }
}

}  // namespace

CostPieces::CostPieces(const StageCost& f, std::span<const CostSegment> segments) {
  std::size_t n = 0;
  double change = f.least;
  double cost = f.cost_at_least;
  first_[0] = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool jumps = i == f.jump_before && f.jump != 0;
    const bool bends = i > 0 && segments[i].slope < segments[i - 1].slope;
    if (jumps || bends) {
      corners_[n++] = {change, cost, 0};
      first_[++count_] = n;
      if (jumps) cost += f.jump;
    }
    corners_[n++] = {change, cost, segments[i].slope};
    cost += segments[i].slope * (segments[i].end - change);
    change = segments[i].end;
  }
  corners_[n++] = {change, cost, 0};
  first_[++count_] = n;
}

void add_step(const CostPieces& cost, const FunctionView& later, double low, double high,
              const Tolerances& tolerances, PiecewiseLinear& scratch, Envelope& envelope) {
  envelope.start(low, high);
  const std::size_t count = later.segments.size();
  for (std::size_t first = 0; first < count;) {
    std::size_t last = first + 1;
    while (last < count && !later.begins_piece(last, tolerances)) ++last;
    for (std::size_t p = 0; p < cost.count(); ++p) {
      merge(cost.piece(p), later, first, last, low, high, tolerances.width, scratch);
      envelope.fold(scratch);
    }
    first = last;
  }
}

double best_energy(const CostPieces& cost, const FunctionView& later, double s,
                   const Tolerances& tolerances) {
  double best = s;
  double moved = 0;
  double lowest = kNoLimit;
  const double start = later.start();
  // A chain of full charges may miss the segment that it was made for by the rounding of its sums.
  const double rounding = 1e-2 * tolerances.width;
  const auto consider = [&](double change, double energy, double money) {
    if (money < lowest - tolerances.value ||
        (money <= lowest + tolerances.value && std::abs(change) < std::abs(moved))) {
      best = energy;
      moved = change;
      lowest = std::min(lowest, money);
    }
  };
  const auto later_at = [&](double reached) {
    const double energy = later.corner_near(reached, kSameCorner * tolerances.width);
    const std::size_t i = later.segment_at(energy);
    double value = later.is_point(i) ? later.segments[i].value : later.segments[i].at(energy);
    for (std::size_t j = i; j > 0 && later.end_of(j - 1) >= energy; --j) {
      const Segment& before = later.segments[j - 1];
      value = std::min(value, later.is_point(j - 1) ? before.value : before.at(energy));
    }
    return value;
  };
  for (std::size_t p = 0; p < cost.count(); ++p) {
    const Corners corners = cost.piece(p);
    const double least = std::max(corners.front().change, start - s);
    const double most = std::min(corners.back().change, later.end - s);
    std::size_t k = 0;
    const auto cost_at = [&](double change) {
      while (k + 1 < corners.size() && corners[k + 1].change <= change) ++k;
      return corners[k].cost + corners[k].slope * (change - corners[k].change);
    };
    if (least > most) {  // by rounding, or out of reach
      if (least - most > tolerances.width) continue;
      const double change = std::clamp(least, corners.front().change, corners.back().change);
      const double energy = std::clamp(s + change, start, later.end);
      consider(change, energy, cost_at(change) + later_at(energy));
      continue;
    }
    // Corners of the cost, then those of the later function, between the two ends.
    const double first = corners.front().change > start - s ? s + least : start;
    const double last = corners.back().change < later.end - s ? s + most : later.end;
    consider(least, first, cost_at(least) + later_at(first));
    for (const CostPieces::Corner& corner : corners) {
      if (corner.change <= least || corner.change >= most) continue;
      const double energy = s + corner.change;
      consider(corner.change, energy, corner.cost + later_at(energy));
    }
    k = 0;
    for (std::size_t i = later.segment_at(first - rounding); i < later.segments.size(); ++i) {
      const double energy = later.segments[i].start;
      if (energy - s < least - rounding) continue;
      if (energy - s > most + rounding) break;
      const double change = std::clamp(energy - s, least, most);
      consider(change, energy, cost_at(change) + later_at(energy));
    }
    consider(most, last, cost_at(most) + later_at(last));
    if (least < 0 && most > 0) {
      k = 0;
      consider(0.0, s, cost_at(0.0) + later_at(s));
    }
  }
  return best;
}

}  // namespace bess
