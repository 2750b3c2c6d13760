// Runs of a lane kernel that are watched: kept within the corridor of policies (lane_corridor.hpp),
// and their steps at a battery's limits counted. Local to the translation unit, as vector.hpp is.
#pragma once

#include <cstddef>
#include <limits>

#include "bess/lane_corridor.hpp"
#include "bess/lane_kernel.hpp"
#include "bess/lane_steps.hpp"

namespace bess {
namespace {

// Rows of what a run changes of a group of lanes.
enum Row : std::size_t {
  kStored,
  kDischarged,
  kFromGrid,
  kSent,
  kCost,
  kFull,
  kEmpty,
  kMissed,
  kImported,
  kExported,
  kPeak,
  kRows,
};

struct LaneRows {
  double* of[kRows];

  LaneRows(LaneBlock& b, LaneBin& bin, std::size_t lane)
      : of{b.stored, b.discharged, b.from_grid,  b.sent,       b.cost,  b.full,
           b.empty,  b.missed,     bin.imported, bin.exported, bin.peak} {
    for (double*& row : of) row += lane;
  }
};

struct RowsBefore {
  alignas(64) double of[kRows][kGroupLanes];

  explicit RowsBefore(const LaneRows& rows) {
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t i = 0; i < kGroupLanes; ++i) of[row][i] = rows.of[row][i];
    }
  }
};

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

// Whether a lane's state of charge is outside of a window: 1 or 0.
inline Vector misses(const Bounds& window, Vector stored, Vector same) {
  const Vector beyond = most_of(subtract(window.low, stored), subtract(stored, window.high));
  return one_if_above(beyond, same);
}

// What a run that was worked as without policies, within `bounds`, adds to the steps at the limits.
inline void count_hours(const LaneRun& run, const LaneSeries& series, LaneBlock& b, std::size_t at,
                        Vector before, const Bounds& bounds) {
  const Vector after = load(b.stored + at);
  const Vector most = most_of(before, after);
  const Vector least = least_of(before, after);
  const Vector same = multiply(load(b.capacity + at), broadcast(kSameCharge));
  const Vector nearly_full = subtract(load(b.room + at), same);
  const Vector steps = broadcast(static_cast<double>(run.steps));
  Vector full = broadcast(0.0);
  Vector charged = broadcast(0.0);
  const auto crosses = [&](Vector level) {
    return any_above(where_above(least, level, broadcast(0.0), most), level);
  };
  if (crosses(nearly_full) || crosses(same)) {
    const LaneWish wish = wish_of(run, series, b, at);
    Vector stored = before;
    for (std::size_t t = 0; t < run.steps; ++t) {
      stored = bounds.hold(add(stored, wish.at(t)));
      full = add(full, one_if_above(stored, nearly_full));
      charged = add(charged, one_if_above(stored, same));
    }
  }
  const auto above = [&](Vector level, Vector counted) {
    const Vector some = where_above(most, level, counted, broadcast(0.0));
    return where_above(least, level, steps, some);
  };
  add_to(b.full + at, above(nearly_full, full));
  add_to(b.empty + at, subtract(steps, above(same, charged)));
}

// Works a run of a group within its corridor, step by step, for the lanes of part `i` that are
// `astray` (above 0) otherwise.
template <bool kPriced>
inline void work_within(const Account<kPriced>& to, const LaneProgram& program, std::size_t r,
                        const double* corridor, const RowsBefore& before, const LaneRows& rows,
                        std::size_t i, Vector astray) {
  const LaneRun& run = to.run;
  const LaneBlock& b = to.block;
  const LanePolicies& policies = program.policies;
  const LaneRunPolicy& own = policies.runs[r];
  const std::size_t at = to.lane + i * kWidth;
  const auto row_before = [&](Row row) { return load(before.of[row] + i * kWidth); };
  const StepReach reach(policies, b, at);
  const Bounds limits = limits_of(b, at);
  const Bounds window = own.count > 0 ? bounds_of(own.window, b, at) : limits;

  const double* loads = policies.load + run.first;
  const double* suns = program.series.solar + run.first;
  const double* solar_outlet = policies.solar_outlet + run.first;
  const double* battery_outlet = policies.battery_outlet + run.first;
  Bounds within[kLongestRun];
  Bounds each{load(corridor + i * kWidth), load(corridor + kGroupLanes + i * kWidth)};
  for (std::size_t t = run.steps; t-- > 0;) {
    each = {window.hold(each.low), window.hold(each.high)};
    within[t] = each;
    each = {limits.hold(subtract(each.low, reach.rise(suns[t]))),
            limits.hold(add(each.high, reach.fall(loads[t] + battery_outlet[t])))};
  }

  const LaneWish wish = wish_of(run, program.series, b, at);
  const bool takes = run.kind == LaneRunKind::kTake || run.kind == LaneRunKind::kTakeBesideSun;
  const Vector stored_per_solar = load(b.stored_per_solar + at);
  const Vector solar_per_stored = load(b.solar_per_stored + at);
  const Vector grid_per_stored =
      policies.grid_to_battery ? load(b.grid_per_stored + at) : broadcast(0.0);
  const Vector capacity = load(b.capacity + at);
  const Vector same = multiply(capacity, broadcast(kSameCharge));
  const Vector nearly_full = subtract(limits.high, same);
  const Vector noise = add(multiply(capacity, broadcast(kRounding)), broadcast(policies.noise));
  Vector stored = row_before(kStored);
  Vector discharged = row_before(kDischarged);
  Vector from_grid = row_before(kFromGrid);
  Vector sent = row_before(kSent);
  Vector full = row_before(kFull);
  Vector empty = row_before(kEmpty);
  Vector missed = row_before(kMissed);
  Vector peak = row_before(kPeak);
  Vector imported = broadcast(-own.imported);
  Vector exported = broadcast(-own.exported);
  for (std::size_t t = 0; t < run.steps; ++t) {
    const Vector needed = broadcast(loads[t]);
    const Vector sun = broadcast(suns[t]);
    const Bounds possible{subtract(stored, reach.fall(loads[t] + battery_outlet[t])),
                          add(stored, reach.rise(suns[t]))};
    const Bounds wanted{possible.hold(within[t].low), possible.hold(within[t].high)};
    const Vector after = wanted.hold(add(stored, wish.at(t)));
    const Vector change = subtract(after, stored);
    stored = after;

    // The sun that is stored before the grid's turn; beyond it the sun, where the grid may not.
    const double spare = suns[t] > loads[t] ? suns[t] - loads[t] : 0.0;
    const double first = !policies.grid_to_battery || takes ? suns[t] : spare;
    const Vector gained = positive(change);
    const Vector solar = least_of(multiply(gained, solar_per_stored), broadcast(first));
    const Vector rest = positive(subtract(gained, multiply(solar, stored_per_solar)));
    const Vector charged = multiply(rest, grid_per_stored);
    const Vector given = subtract(gained, change);

    const Vector output = positive(subtract(sun, solar));
    const Vector promised = positive(subtract(given, broadcast(battery_outlet[t])));
    const Vector sun_to_site = least_of(output, positive(subtract(needed, promised)));
    const Vector unserved = subtract(needed, sun_to_site);
    const Vector left = positive(subtract(given, unserved));
    const Vector to_grid = least_of(left, broadcast(battery_outlet[t]));
    const Vector missing = positive(subtract(unserved, subtract(given, to_grid)));
    const Vector bought = add(missing, charged);
    const Vector room = positive(subtract(broadcast(solar_outlet[t]), to_grid));
    const Vector saleable = least_of(subtract(output, sun_to_site), room);
    const Vector sold = where_above(bought, noise, broadcast(0.0), saleable);

    discharged = add(discharged, given);
    from_grid = add(from_grid, charged);
    sent = add(sent, to_grid);
    imported = add(imported, bought);
    exported = add(exported, add(sold, to_grid));
    peak = most_of(peak, bought);
    full = add(full, one_if_above(after, nearly_full));
    empty = add(empty, subtract(broadcast(1.0), one_if_above(after, same)));
    if (own.count == 1) missed = add(missed, misses(window, after, same));
  }

  const auto finish = [&](Row row, Vector value) {
    double* values = rows.of[row] + i * kWidth;
    store(where_above(astray, broadcast(0.0), value, load(values)), values);
  };
  finish(kStored, stored);
  finish(kDischarged, discharged);
  finish(kFromGrid, from_grid);
  finish(kSent, sent);
  finish(kFull, full);
  finish(kEmpty, empty);
  finish(kMissed, missed);
  finish(kPeak, peak);
  finish(kImported, add(row_before(kImported), imported));
  finish(kExported, add(row_before(kExported), exported));
  if constexpr (kPriced) {
    const Vector paid =
        subtract(multiply(imported, broadcast(run.buy)), multiply(exported, broadcast(run.sell)));
    finish(kCost, add(row_before(kCost), paid));
  }
}

// Works run `r` of a group by `work`, as without policies, where that stays inside the corridor.
template <bool kPriced, typename Work>
inline void watch_run(const Account<kPriced>& to, const LaneProgram& program, std::size_t r,
                      const LaneCorridor& corridor, const Work& work) {
  LaneBlock& b = to.block;
  const bool narrowed = program.policies.runs != nullptr && corridor.narrowed[r] != 0;
  if (!narrowed && !program.counts_hours) return work();
  const LaneRows rows(b, to.bin, to.lane);
  const RowsBefore before(rows);
  const LaneRunPolicy none{};
  const LaneRunPolicy& own = narrowed ? program.policies.runs[r] : none;
  Bounds bounds[kParts];
  Vector room[kParts];
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    room[i] = load(b.room + at);
    bounds[i] = own.count > 0 ? bounds_of(own.window, b, at) : limits_of(b, at);
  }
  for (std::size_t i = 0; own.count > 0 && i < kParts; ++i) {  // counted from the lower bound
    const std::size_t at = to.lane + i * kWidth;
    store(subtract(load(b.stored + at), bounds[i].low), b.stored + at);
    store(subtract(bounds[i].high, bounds[i].low), b.room + at);
  }
  work();
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    const Vector start = load(before.of[kStored] + i * kWidth);
    if (own.count > 0) {
      store(least_of(add(load(b.stored + at), bounds[i].low), bounds[i].high), b.stored + at);
      store(room[i], b.room + at);
    }
    if (program.counts_hours) count_hours(to.run, program.series, b, at, start, bounds[i]);
    if (!narrowed) continue;
    const double* ends = corridor.bounds + r * 2 * kGroupLanes;
    const Vector end = load(b.stored + at);
    const Vector below = subtract(load(ends + i * kWidth), least_of(start, end));
    const Vector above = subtract(most_of(start, end), load(ends + kGroupLanes + i * kWidth));
    const Vector slack = multiply(load(b.capacity + at), broadcast(kSlack));
    const Vector astray = subtract(most_of(below, above), slack);
    if (any_above(astray, broadcast(0.0))) {
      work_within(to, program, r, ends, before, rows, i, astray);
    }
    const Vector same = multiply(load(b.capacity + at), broadcast(kSameCharge));
    for (std::size_t w = 0; own.count > 1 && w < own.count; ++w) {
      const Bounds window = bounds_of(program.policies.windows[own.first + w], b, at);
      add_to(b.missed + at, misses(window, load(b.stored + at), same));
    }
  }
}

}  // namespace
}  // namespace bess
