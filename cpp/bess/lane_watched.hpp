// Runs of a lane kernel that are watched: kept within the corridor of policies (lane_corridor.hpp),
// and their steps at a battery's limits counted. Local to the translation unit, as vector.hpp is.
#pragma once

#include <cstddef>

#include "bess/lane_corridor.hpp"
#include "bess/lane_hours.hpp"
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
  kImported,
  kExported,
  kPeak,
  kRows,
};

struct LaneRows {
  double* of[kRows];

  LaneRows(LaneBlock& b, LaneBin& bin, std::size_t lane)
      : of{b.stored + lane, b.discharged + lane, b.from_grid + lane,  b.sent + lane,
           b.cost + lane,   bin.imported + lane, bin.exported + lane, bin.peak + lane} {}
};

struct RowsBefore {
  Vector of[kRows][kParts];

  explicit RowsBefore(const LaneRows& rows) {
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t i = 0; i < kParts; ++i) of[row][i] = load(rows.of[row] + i * kWidth);
    }
  }
};

// Whether a lane's state of charge is outside of a window: 1 or 0.
inline Vector misses(const Bounds& window, Vector stored, Vector same) {
  const Vector beyond = most_of(subtract(window.low, stored), subtract(stored, window.high));
  return one_if_above(beyond, same);
}

// Works a run of a group within its corridor, which is `each` at the end, step by step, for the
// lanes of part `i` that are `astray` (above 0) otherwise.
template <bool kPriced>
inline void work_within(const Account<kPriced>& to, const LaneProgram& program, std::size_t r,
                        Bounds each, const Bounds* window, const RowsBefore& before,
                        const LaneRows& rows, std::size_t i, Vector astray) {
  const LaneRun& run = to.run;
  LaneBlock& b = to.block;
  const LanePolicies& policies = program.policies;
  const LaneRunPolicy& own = policies.runs[r];
  const std::size_t at = to.lane + i * kWidth;
  const StepReach reach(program, b, at);
  const Bounds limits = limits_of(b, at);

  const double* loads = policies.load + run.first;
  const double* suns = program.series.solar + run.first;
  const double* solar_outlet = policies.solar_outlet + run.first;
  const double* battery_outlet = policies.battery_outlet + run.first;
  Bounds within[kLongestRun];
  for (std::size_t t = run.steps; t-- > 0;) {
    if (window != nullptr) each = {window->hold(each.low), window->hold(each.high)};
    within[t] = each;
    each = {limits.hold(subtract(each.low, reach.rise(run.first + t))),
            limits.hold(add(each.high, reach.fall(run.first + t)))};
  }

  const LaneWish wish = wish_of(run, program.series, b, at);
  const bool sun_first = !policies.grid_to_battery || takes_from_grid(run);
  const Vector stored_per_solar = load(b.stored_per_solar + at);
  const Vector solar_per_stored = load(b.solar_per_stored + at);
  const Vector grid_per_stored = load(b.grid_per_stored + at);
  const Vector capacity = load(b.capacity + at);
  const Vector same = multiply(capacity, broadcast(kSameCharge));
  const Vector nearly_full = subtract(limits.high, same);
  const Vector exact = multiply(capacity, broadcast(kExact));
  const Vector solar_per_saved = load(b.solar_per_saved + at);
  const Vector noise = add(multiply(capacity, broadcast(kRounding)), broadcast(policies.noise));
  Vector stored = before.of[kStored][i];
  Vector discharged = before.of[kDischarged][i];
  Vector from_grid = before.of[kFromGrid][i];
  Vector sent = before.of[kSent][i];
  Vector full = broadcast(0.0);
  Vector empty = broadcast(0.0);
  Vector missed = broadcast(0.0);
  Vector failed = broadcast(0.0);
  Vector peak = before.of[kPeak][i];
  Vector imported = broadcast(-own.imported);
  Vector exported = broadcast(-own.exported);
  for (std::size_t t = 0; t < run.steps; ++t) {
    const Vector needed = broadcast(loads[t]);
    const Vector sun = broadcast(suns[t]);
    const Vector rise = reach.rise(run.first + t);
    const Vector fall = reach.fall(run.first + t);
    const Bounds possible{subtract(stored, fall), add(stored, rise)};
    const Bounds wanted{possible.hold(within[t].low), possible.hold(within[t].high)};
    const Vector after = wanted.hold(add(stored, wish.at(t)));
    const Vector change = subtract(after, stored);
    stored = after;

    // The sun that is stored before the grid's turn; beyond it the sun, where the grid may not.
    const double spare = suns[t] > loads[t] ? suns[t] - loads[t] : 0.0;
    const double first = sun_first ? suns[t] : spare;
    const Vector gained = positive(change);
    const Vector all_from_sun = multiply(gained, solar_per_stored);
    Vector solar = least_of(all_from_sun, broadcast(first));
    if (policies.import_limit != nullptr) {
      // Where it binds, more of the sun is stored, which saves the grid's energy a conversion.
      const double room = policies.import_limit[run.first + t] - loads[t] + suns[t];
      const Vector above = subtract(multiply(gained, grid_per_stored), broadcast(room));
      const Vector most = least_of(all_from_sun, sun);
      solar = most_of(least_of(multiply(above, solar_per_saved), most), solar);
      const Vector beyond = subtract(broadcast(0.0), least_of(after, add(rise, fall)));
      failed = add(failed, one_if_above(beyond, exact));
    }
    Vector charged = broadcast(0.0);
    if (policies.grid_to_battery) {
      const Vector rest = positive(subtract(gained, multiply(solar, stored_per_solar)));
      charged = multiply(rest, grid_per_stored);
      from_grid = add(from_grid, charged);
    }
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
    sent = add(sent, to_grid);
    imported = add(imported, bought);
    exported = add(exported, add(sold, to_grid));
    peak = most_of(peak, bought);
    if (program.counts_hours) {
      full = add(full, one_if_above(after, nearly_full));
      empty = add(empty, where_above(after, same, broadcast(0.0), broadcast(1.0)));
    }
    if (own.count == 1) missed = add(missed, misses(*window, after, same));
  }

  const auto finish = [&](Row row, Vector value) {
    double* values = rows.of[row] + i * kWidth;
    store(where_above(astray, broadcast(0.0), value, load(values)), values);
  };
  finish(kStored, stored);
  finish(kDischarged, discharged);
  finish(kFromGrid, from_grid);
  finish(kSent, sent);
  finish(kPeak, peak);
  finish(kImported, add(before.of[kImported][i], imported));
  finish(kExported, add(before.of[kExported][i], exported));
  if constexpr (kPriced) {
    const Vector paid =
        subtract(multiply(imported, broadcast(run.buy)), multiply(exported, broadcast(run.sell)));
    finish(kCost, add(before.of[kCost][i], paid));
  }
  const auto count = [&](double* to_row, Vector found) {
    add_to(to_row + at, where_above(astray, broadcast(0.0), found, broadcast(0.0)));
  };
  count(b.missed, missed);
  count(b.failed, failed);
  if (!program.counts_hours) return;
  count(b.full, full);
  count(b.empty, empty);
}

// Works run `r` of a group by `work`, as without policies, and again where that leaves the
// corridor.
template <bool kPriced, typename Work>
inline void watch_run(const Account<kPriced>& to, const LaneProgram& program, std::size_t r,
                      const LaneCorridor& corridor, WindowBounds& window_bounds, const Work& work) {
  LaneBlock& b = to.block;
  const bool narrowed =
      program.policies.runs != nullptr && corridor.narrowing[r] != LaneNarrowing::kNone;
  if (!narrowed && !program.counts_hours) return work();
  Vector astray[kParts];
  if (!narrowed) {
    Vector before[kParts];
    for (std::size_t i = 0; i < kParts; ++i) {
      before[i] = load(b.stored + to.lane + i * kWidth);
      astray[i] = broadcast(0.0);
    }
    work();
    return count_hours(to.run, program.series, b, to.lane, before, astray);
  }
  const LaneRows rows(b, to.bin, to.lane);
  const RowsBefore before(rows);
  const LaneRunPolicy& own = program.policies.runs[r];
  const Bounds* windows = own.count > 0 ? window_bounds.of(own.window) : nullptr;
  if (windows == nullptr) {
    work();
  } else {  // what is stored counts from the lower bound
    Vector room[kParts];
    for (std::size_t i = 0; i < kParts; ++i) {
      const std::size_t at = to.lane + i * kWidth;
      room[i] = load(b.room + at);
      store(subtract(before.of[kStored][i], windows[i].low), b.stored + at);
      store(subtract(windows[i].high, windows[i].low), b.room + at);
    }
    work();
    for (std::size_t i = 0; i < kParts; ++i) {
      const std::size_t at = to.lane + i * kWidth;
      const Vector stored = add(load(b.stored + at), windows[i].low);
      store(least_of(stored, windows[i].high), b.stored + at);
      store(room[i], b.room + at);
    }
  }
  Bounds ends[kParts];
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    const double* bounds = corridor.bounds + r * 2 * kGroupLanes + i * kWidth;
    ends[i] = corridor.narrowing[r] == LaneNarrowing::kToWindow
                  ? windows[i]
                  : Bounds{load(bounds), load(bounds + kGroupLanes)};
    const Vector start = before.of[kStored][i];
    const Vector end = load(b.stored + at);
    const Vector below = subtract(ends[i].low, least_of(start, end));
    const Vector above = subtract(most_of(start, end), ends[i].high);
    const Vector slack = multiply(load(b.capacity + at), broadcast(kSlack));
    astray[i] = subtract(most_of(below, above), slack);
    if (program.policies.import_limit != nullptr) {
      astray[i] = most_of(astray[i], over_limit(to.run, own, b, at));
    }
  }
  if (program.counts_hours) {
    count_hours(to.run, program.series, b, to.lane, before.of[kStored], astray);
  }
  for (std::size_t i = 0; i < kParts; ++i) {
    if (!any_above(astray[i], broadcast(0.0))) continue;
    work_within(to, program, r, ends[i], windows == nullptr ? nullptr : windows + i, before, rows,
                i, astray[i]);
  }
  if (own.count < 2) return;
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t at = to.lane + i * kWidth;
    const Vector same = multiply(load(b.capacity + at), broadcast(kSameCharge));
    for (std::size_t w = own.first; w < own.first + own.count; ++w) {
      const Bounds window = bounds_of(program.policies.windows[w], b, at);
      add_to(b.missed + at, misses(window, load(b.stored + at), same));
    }
  }
}

}  // namespace
}  // namespace bess
