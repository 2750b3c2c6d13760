#include "bess/convex_hull.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace bess {

StageCost convex_hull(const StageCost& cost, std::span<const CostSegment> segments,
                      CostSegment* out) {
  struct Corner {
    double change;
    double cost;
  };
  std::array<Corner, 2 * StageCostBuilder::kMostSegments + 2> hull;
  assert(segments.size() < hull.size());
  std::size_t count = 0;
  const auto slope = [](const Corner& from, const Corner& to) {
    return (to.cost - from.cost) / (to.change - from.change);
  };
  const auto add = [&](Corner corner) {
    while (count > 1 && slope(hull[count - 2], hull[count - 1]) >= slope(hull[count - 1], corner)) {
      --count;
    }
    hull[count++] = corner;
  };
  double from = cost.least;
  double value = cost.cost_at_least;
  add({from, value});
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i == cost.jump_before) {
      value += cost.jump;
      if (cost.jump < 0) {
        --count;
        add({from, value});
      }
    }
    if (!(segments[i].end > from)) continue;
    value += segments[i].slope * (segments[i].end - from);
    from = segments[i].end;
    add({from, value});
  }
  StageCost f = cost;
  f.cost_at_least = hull[0].cost;
  f.jump = 0;
  f.jump_before = 255;
  f.convex = true;
  f.count = static_cast<std::uint8_t>(count - 1);
  for (std::size_t i = 1; i < count; ++i)
    out[i - 1] = {slope(hull[i - 1], hull[i]), hull[i].change};
  return f;
}

}  // namespace bess
