// The corridor of policies in lanes. Local to the translation unit, as vector.hpp is.
//
// A group of lanes is gone through twice. Backwards, from run to run, for the corridor of each
// lane: the least and the most it may hold at a run's end so that every later window can be met.
// Where a window and the corridor of later ones have nothing in common the window has precedence:
// the corridor shrinks to the point of it that is nearest. Then forwards, by the rule. A run in
// which no lane's corridor is narrower than its battery is worked as without policies. In another,
// a lane goes as far as it can towards its corridor step by step, unless the run, worked as without
// policies between the bounds of its windows, stays inside: in a run what is stored only rises or
// only falls, the low bound rises and the high bound falls, so the run's ends tell. Each lane tells
// for itself, so that its bits do not depend on its neighbours.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bess/lane_kernel.hpp"
#include "bess/lane_steps.hpp"

namespace bess {
namespace {

// Parts of a battery's capacity: states of charge that differ by less are the same; an import below
// this is rounding, which must not bar the sun from being exported; by this much rounding may take
// a lane out of its corridor; a load above the import limit of which more cannot be served is for
// the kernel of one battery to judge.
constexpr double kSameCharge = 1e-9;
constexpr double kRounding = 1e-11;
constexpr double kSlack = 1e-14;
constexpr double kExact = 1e-13;

struct Bounds {
  Vector low;
  Vector high;

  Vector hold(Vector stored) const { return least_of(most_of(stored, low), high); }
};

inline Bounds limits_of(const LaneBlock& b, std::size_t at) {
  return {broadcast(0.0), load(b.room + at)};
}

// A window within a battery's limits.
inline Bounds bounds_of(const LaneWindow& window, const LaneBlock& b, std::size_t at) {
  const Bounds limits = limits_of(b, at);
  const Vector capacity = load(b.capacity + at);
  const Vector minimum = load(b.minimum + at);
  const auto stored = [&](double charge) {
    return limits.hold(subtract(multiply(capacity, broadcast(charge)), minimum));
  };
  const Vector low = stored(window.low);
  return {low, most_of(stored(window.high), low)};
}

inline bool same_window(const LaneWindow& a, const LaneWindow& b) {
  return a.low == b.low && a.high == b.high;
}

// The bounds of a window for a group of lanes, kept while the window stays the same.
class WindowBounds {
 public:
  WindowBounds(const LaneBlock& block, std::size_t lane) : block_(block), lane_(lane) {}

  const Bounds* of(const LaneWindow& window) {
    if (!same_window(window, window_)) {
      window_ = window;
      for (std::size_t i = 0; i < kParts; ++i) {
        bounds_[i] = bounds_of(window, block_, lane_ + i * kWidth);
      }
    }
    return bounds_;
  }

 private:
  const LaneBlock& block_;
  std::size_t lane_;
  LaneWindow window_{-1.0, -1.0};
  Bounds bounds_[kParts];
};

// How far what is stored can rise and fall in a step, whatever is stored.
class StepReach {
 public:
  StepReach(const LaneProgram& program, const LaneBlock& b, std::size_t at)
      : policies_(program.policies),
        solar_(program.series.solar),
        stored_per_solar_(load(b.stored_per_solar + at)),
        solar_per_stored_(load(b.solar_per_stored + at)),
        stored_per_grid_(load(b.stored_per_grid + at)),
        charge_(load(b.charge + at)),
        discharge_(load(b.discharge + at)) {}

  // Below 0 where load above the import limit forces a discharge.
  Vector rise(std::size_t t) const {
    if (policies_.import_limit == nullptr) {
      return policies_.grid_to_battery ? charge_ : from_sun(solar_[t]);
    }
    const double limit = policies_.import_limit[t];
    const double spare = solar_[t] + limit - policies_.load[t];
    if (spare < 0) return broadcast(spare);
    const Vector stored = from_sun(spare < solar_[t] ? spare : solar_[t]);
    if (!policies_.grid_to_battery) return stored;
    const Vector taken = multiply(stored, solar_per_stored_);
    const Vector left = positive(subtract(broadcast(solar_[t]), taken));
    const Vector unserved = positive(subtract(broadcast(policies_.load[t]), left));
    const Vector headroom = positive(subtract(broadcast(limit), unserved));
    return least_of(add(stored, multiply(headroom, stored_per_grid_)), charge_);
  }
  Vector fall(std::size_t t) const {
    return least_of(broadcast(policies_.load[t] + policies_.battery_outlet[t]), discharge_);
  }

 private:
  Vector from_sun(double energy) const {
    return least_of(multiply(broadcast(energy), stored_per_solar_), charge_);
  }

  const LanePolicies& policies_;
  const double* solar_;
  Vector stored_per_solar_;
  Vector solar_per_stored_;
  Vector stored_per_grid_;
  Vector charge_;
  Vector discharge_;
};

inline bool takes_from_grid(const LaneRun& run) {
  return run.kind == LaneRunKind::kTake || run.kind == LaneRunKind::kTakeBesideSun;
}

// Above 0 where a run that is worked without regard to the import limit may exceed it.
inline Vector over_limit(const LaneRun& run, const LaneRunPolicy& own, const LaneBlock& b,
                         std::size_t at) {
  if (own.overloaded) return broadcast(1.0);
  if (!takes_from_grid(run)) return broadcast(0.0);
  const Vector taken = multiply(load(b.charge + at), load(b.grid_per_stored + at));
  return subtract(taken, broadcast(own.headroom));
}

// The corridor at the end of each run, for the lanes from `lane` on.
inline void find_corridor(const LaneProgram& program, const LaneBlock& b, std::size_t lane,
                          const LaneCorridor& corridor) {
  const LanePolicies& policies = program.policies;
  WindowBounds window_bounds(b, lane);
  Bounds within[kParts];
  for (std::size_t i = 0; i < kParts; ++i) within[i] = limits_of(b, lane + i * kWidth);
  bool narrow = false;
  const auto find_narrow = [&] {
    narrow = false;
    for (std::size_t i = 0; i < kParts; ++i) {
      const Bounds limits = limits_of(b, lane + i * kWidth);
      narrow |= any_above(within[i].low, limits.low) || any_above(limits.high, within[i].high);
    }
  };
  const Bounds* windows = nullptr;
  bool as_windows = false;  // so is the corridor
  bool settled = false;     // and in the run after this one, which has the same windows
  for (std::size_t r = program.count; r-- > 0;) {
    const LaneRun& run = program.runs[r];
    const LaneRunPolicy& own = policies.runs[r];
    if (!settled) as_windows = own.count > 0;
    if (own.count > 0 && !settled) {
      windows = window_bounds.of(own.window);
      for (std::size_t i = 0; i < kParts; ++i) {
        within[i] = {windows[i].hold(within[i].low), windows[i].hold(within[i].high)};
        as_windows = as_windows && !any_above(within[i].low, windows[i].low) &&
                     !any_above(windows[i].high, within[i].high);
      }
      find_narrow();
    }
    bool limited = false;
    for (std::size_t i = 0; policies.import_limit != nullptr && i < kParts; ++i) {
      limited |= any_above(over_limit(run, own, b, lane + i * kWidth), broadcast(0.0));
    }
    corridor.narrowing[r] = limited      ? LaneNarrowing::kFurther
                            : !narrow    ? LaneNarrowing::kNone
                            : as_windows ? LaneNarrowing::kToWindow
                                         : LaneNarrowing::kFurther;
    settled = as_windows && !own.overloaded && r > 0 && policies.runs[r - 1].count > 0 &&
              same_window(policies.runs[r - 1].window, own.window);
    double* bounds = corridor.bounds + r * 2 * kGroupLanes;
    for (std::size_t i = 0; corridor.narrowing[r] == LaneNarrowing::kFurther && i < kParts; ++i) {
      store(within[i].low, bounds + i * kWidth);
      store(within[i].high, bounds + kGroupLanes + i * kWidth);
    }
    if (settled || (!narrow && !own.overloaded)) continue;
    const std::size_t steps = as_windows && !own.overloaded ? 1 : run.steps;
    for (std::size_t t = run.first + steps; t-- > run.first;) {
      for (std::size_t i = 0; i < kParts; ++i) {
        const StepReach reach(program, b, lane + i * kWidth);
        Bounds& each = within[i];
        if (own.count > 0) each = {windows[i].hold(each.low), windows[i].hold(each.high)};
        const Bounds limits = limits_of(b, lane + i * kWidth);
        each = {limits.hold(subtract(each.low, reach.rise(t))),
                limits.hold(add(each.high, reach.fall(t)))};
      }
    }
    find_narrow();
  }
}

}  // namespace
}  // namespace bess
