// Counts the steps of lanes at their batteries' limits. Local to the translation unit, as
// vector.hpp is.
#pragma once

#include <cstddef>
#include <limits>

#include "bess/lane_corridor.hpp"
#include "bess/lane_kernel.hpp"
#include "bess/lane_steps.hpp"

namespace bess {
namespace {

// What the rule asks of a battery in each step of a run: a rise of what is stored of
// min(value, limit) * rate, whatever is stored.
struct LaneWish {
  const double* values;
  std::size_t mask;  // 0: one value for all steps
  Vector limit;
  Vector rate;

  Vector at(std::size_t t) const {
    return multiply(least_of(broadcast(values[t & mask]), limit), rate);
  }
};

constexpr double kNothing = 0.0;
constexpr double kBoundless = std::numeric_limits<double>::infinity();

inline LaneWish wish_of(const LaneRun& run, const LaneSeries& series, const LaneBlock& b,
                        std::size_t at) {
  constexpr std::size_t kEveryStep = ~std::size_t{0};
  const double* energy = series.energy + run.first;
  switch (run.kind) {
    case LaneRunKind::kServe:
      return {energy, kEveryStep, load(b.discharge + at), broadcast(-1.0)};
    case LaneRunKind::kSend:
      return {series.outlet + run.first, kEveryStep, load(b.discharge + at), broadcast(-1.0)};
    case LaneRunKind::kStore:
    case LaneRunKind::kStoreAndSell:
      return {energy, kEveryStep, load(b.solar_charge + at), load(b.stored_per_solar + at)};
    case LaneRunKind::kTake:
    case LaneRunKind::kTakeBesideSun:
      return {&kBoundless, 0, load(b.charge + at), broadcast(1.0)};
    case LaneRunKind::kRest:
      break;
  }
  return {&kNothing, 0, broadcast(0.0), broadcast(0.0)};
}

inline Vector one_if_above(Vector a, Vector b) {
  return where_above(a, b, broadcast(1.0), broadcast(0.0));
}

// What a run that was worked as without policies, within bounds, adds to the steps at the limits of
// the lanes that are not `astray` (above 0). `before`: what was stored. As it only rises or only
// falls, a step where the bounds hold it back is as one where they do not: both are beyond a level,
// or both are not.
inline void count_hours(const LaneRun& run, const LaneSeries& series, LaneBlock& b,
                        std::size_t lane, const Vector* before, const Vector* astray) {
  Bounds reached[kParts];
  Bounds levels[kParts];  // nearly empty, nearly full
  bool empties = false;
  bool fills = false;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = lane + i * kWidth;
    const Vector after = load(b.stored + at);
    const Vector same = multiply(load(b.capacity + at), broadcast(kSameCharge));
    reached[i] = {least_of(before[i], after), most_of(before[i], after)};
    levels[i] = {same, subtract(load(b.room + at), same)};
    const auto crosses = [&](Vector level) {
      return any_above(where_above(reached[i].low, level, broadcast(0.0), reached[i].high), level);
    };
    empties = empties || crosses(levels[i].low);
    fills = fills || crosses(levels[i].high);
  }
  Vector charged[kParts];
  Vector full[kParts];
  for (std::size_t i = 0; i < kParts; ++i) charged[i] = full[i] = broadcast(0.0);
  if (empties || fills) {
    Vector stored[kParts];
    for (std::size_t i = 0; i < kParts; ++i) stored[i] = before[i];
    for (std::size_t t = 0; t < run.steps; ++t) {
      for (std::size_t i = 0; i < kParts; ++i) {
        const LaneWish wish = wish_of(run, series, b, lane + i * kWidth);
        stored[i] = add(stored[i], wish.at(t));
        if (empties) charged[i] = add(charged[i], one_if_above(stored[i], levels[i].low));
        if (fills) full[i] = add(full[i], one_if_above(stored[i], levels[i].high));
      }
    }
  }
  const Vector steps = broadcast(static_cast<double>(run.steps));
  for (std::size_t i = 0; i < kParts; ++i) {
    const auto above = [&](Vector level, Vector counted) {
      const Vector some = where_above(reached[i].high, level, counted, broadcast(0.0));
      return where_above(reached[i].low, level, steps, some);
    };
    const auto count = [&](double* to, Vector found) {
      add_to(to + lane + i * kWidth, where_above(astray[i], broadcast(0.0), broadcast(0.0), found));
    };
    count(b.full, above(levels[i].high, full[i]));
    count(b.empty, subtract(steps, above(levels[i].low, charged[i])));
  }
}

}  // namespace
}  // namespace bess
