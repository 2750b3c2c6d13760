#include "bess/import_tier.hpp"

#include <algorithm>
#include <array>

#include "bess/convex_hull.hpp"

#include "bess/step_range.hpp"

namespace bess {
namespace {

constexpr double kRounding = 1e-13;  // of the greatest less the least change

// A gain for each kWh DC as one for each kWh of import, between 0 and `most`.
double per_import(double gain, double rate, double most) {
  if (gain <= 0) return 0;
  return gain < most * rate ? gain / rate : most;
}

// The least of f(x) - worth * x.
double least_of(const StageCost& f, std::span<const CostSegment> segments, double worth) {
  double value = f.cost_at_least - worth * f.least;
  double least = value;
  double from = f.least;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i == f.jump_before) value += f.jump;
    least = std::min(least, value);
    value += (segments[i].slope - worth) * (segments[i].end - from);
    from = segments[i].end;
    least = std::min(least, value);
  }
  return least;
}

}  // namespace

void ImportTier::start(const Problem& problem, StageCosts& costs, StageCosts* convex) {
  problem_ = &problem;
  costs_ = &costs;
  convex_ = convex;
  const Site& site = problem.site;
  const Battery& b = problem.devices.front().battery;
  builder_.emplace(site, b);
  const double stored_per_solar =
      b.solar_charge_ratio(site.solar_dc_to_ac_efficiency) * b.input_efficiency;
  served_ = b.dc_to_ac_efficiency;
  diverted_ = 1.0 / stored_per_solar;
  taken_ = 1.0 / (b.ac_to_dc_efficiency * b.input_efficiency);
  const double storable = b.solar_to_battery ? stored_per_solar : 0.0;
  const std::size_t steps = site.steps();
  curves_.resize(steps);
  most_.resize(steps);
  by_merit_.resize(steps);
  corner_of_.assign(steps, 0);
  corners_.clear();
  for (std::size_t t = 0; t < steps; ++t) {
    const double bought = problem.import_price[t];
    const double sold = problem.export_price[t];
    const double most = costs[t].most;
    by_merit_[t] = sold >= 0 && sold <= bought && costs[t].convex;
    const Energies<double, true> energies = energies_at(site, b, t);
    const double deficit = energies.deficit();
    curves_[t] = {deficit - energies.beside_sun(deficit), deficit, energies.surplus() * storable,
                  site.solar[t] * storable};
    most_[t] = by_merit_[t] != 0 ? import_at(t, most)
                                 : site.load[t] + std::max(most, 0.0) * unit(t) * taken_;
  }
}

double ImportTier::import_at(std::size_t t, double x) const {
  const ImportCurve& c = curves_[t];
  x *= unit(t);
  if (x <= 0) return std::max(c.deficit + served_ * x, c.least);
  return c.deficit + std::max(std::min(x, c.from_solar) - c.from_surplus, 0.0) * diverted_ +
         std::max(x - c.from_solar, 0.0) * taken_;
}

// The greatest change that imports no more; `import` is less than at the greatest of all.
double ImportTier::change_at(std::size_t t, double import) const {
  const ImportCurve& c = curves_[t];
  const double more = import - c.deficit;
  const double diverted = (c.from_solar - c.from_surplus) * diverted_;
  const double change = more < 0          ? more / served_
                        : more < diverted ? c.from_surplus + more / diverted_
                                          : c.from_solar + (more - diverted) / taken_;
  return change / unit(t);
}

double ImportTier::rate_between(std::size_t t, double from, double to) const {
  const ImportCurve& c = curves_[t];
  const double middle = 0.5 * (from + to) * unit(t);
  if (middle < 0) return c.deficit + served_ * middle > c.least ? served_ * unit(t) : 0.0;
  if (middle < c.from_surplus) return 0.0;
  return (middle < c.from_solar ? diverted_ : taken_) * unit(t);
}

void ImportTier::set(std::span<const double> cap, std::span<const double> penalty) {
  clear();
  for (std::size_t t = 0; t < most_.size(); ++t) {
    if (most_[t] <= cap[t]) continue;
    add_corner(t, cap[t], penalty[t]);
    if (by_merit_[t] != 0) {
      add_penalty(t, cap[t], penalty[t], kNoLimit);
    } else {
      join_limited_and_dear(t, cap[t], penalty[t], kNoLimit);
    }
  }
}

bool ImportTier::set(std::span<const double> cap, std::span<const double> penalty,
                     std::span<const double> most) {
  clear();
  for (std::size_t t = 0; t < most_.size(); ++t) {
    const bool pays = most_[t] > cap[t] && penalty[t] > 0;
    if (!pays && most_[t] <= most[t]) continue;
    const double from = pays ? cap[t] : most[t];
    add_corner(t, from, penalty[t]);
    if (by_merit_[t] != 0) {
      add_penalty(t, from, penalty[t], most[t]);
    } else if (pays && problem_->import_price[t] + penalty[t] < 0) {
      join_cheap_and_dear(t, from, penalty[t], most[t]);
    } else {
      join_limited_and_dear(t, from, penalty[t], most[t]);
    }
    if (!(*costs_)[t].feasible) return false;
  }
  return true;
}

void ImportTier::clear() {
  costs_->restore();
  if (convex_ != nullptr) convex_->restore();
  for (const Corner& corner : corners_) corner_of_[corner.step] = 0;
  corners_.clear();
}

// Never passed: no import before the least change, and no change behind the greatest.
void ImportTier::add_corner(std::size_t t, double cap, double penalty) {
  corners_.push_back({static_cast<std::uint32_t>(t), cap, penalty, -kNoLimit, kNoLimit, 1, 1});
  corner_of_[t] = static_cast<std::uint32_t>(corners_.size());
}

void ImportTier::add_penalty(std::size_t t, double cap, double penalty, double most) {
  Corner& corner = corners_.back();
  StageCost f = (*costs_)[t];
  if (import_at(t, f.most) > most) f.most = std::max(change_at(t, most), f.least);
  f.feasible = import_at(t, f.least) <= most * (1 + kRounding);
  const std::span<const CostSegment> plain = costs_->segments(t);
  const double width = f.most - f.least;
  const double x = std::clamp(change_at(t, cap), f.least, f.most);
  std::array<CostSegment, StageCostBuilder::kMostSegments + 1> dear;
  std::size_t count = 0;
  double from = f.least;
  const double above = import_at(t, f.least) - cap;
  f.cost_at_least += penalty * std::max(above, 0.0);
  if (above > 0) corner.slope_behind = -kNoLimit;  // passed whatever is done
  for (CostSegment segment : plain) {
    if (from >= f.most) break;
    segment.end = std::min(segment.end, f.most);
    const double rate = rate_between(t, from, segment.end);
    const bool before = x - from > kRounding * width;
    const bool behind = segment.end - x > kRounding * width;
    if (before) {
      corner.slope_before = segment.slope;
      corner.rate_before = rate;
      dear[count++] = {segment.slope, behind ? x : segment.end};
    }
    if (behind) {
      if (corner.slope_behind == kNoLimit) {
        corner.slope_behind = segment.slope;
        corner.rate_behind = rate;
      }
      dear[count++] = {segment.slope + penalty * rate, segment.end};
    }
    from = segment.end;
  }
  f.count = static_cast<std::uint8_t>(count);
  costs_->replace(t, f, {dear.data(), count});
  if (convex_ != nullptr) convex_->replace(t, f, {dear.data(), count});
}

void ImportTier::join_limited_and_dear(std::size_t t, double cap, double penalty, double most) {
  constexpr std::size_t kMost = StageCostBuilder::kMostSegments;
  std::array<CostSegment, kMost> limited_segments;
  std::array<CostSegment, kMost> dear_segments;
  StageCost limited;
  StageCost dear;
  Step step = problem_->step(t);
  step.import_price += penalty;
  step.import_limit = std::min(step.import_limit, most);
  build_in_units(t, step, dear_segments.data(), dear);
  dear.cost_at_least -= penalty * cap;
  step = problem_->step(t);
  step.import_limit = std::min({step.import_limit, cap, most});
  build_in_units(t, step, limited_segments.data(), limited);

  std::array<CostSegment, 2 * kMost> joined;
  StageCost f = dear;
  std::size_t count = 0;
  double seam = dear.least;
  if (limited.feasible && limited.most - dear.least > kRounding * (dear.most - dear.least)) {
    f = limited;
    f.most = std::max(dear.most, limited.most);
    for (std::size_t i = 0; i < limited.count; ++i) joined[count++] = limited_segments[i];
    seam = limited.most;
  }
  for (std::size_t i = 0; i < dear.count; ++i) {
    if (dear_segments[i].end > seam) joined[count++] = dear_segments[i];
  }
  f.convex = f.jump == 0 || f.jump_before >= count;
  for (std::size_t i = 1; i < count; ++i) f.convex &= joined[i - 1].slope <= joined[i].slope;
  f.count = static_cast<std::uint8_t>(count);
  costs_->replace(t, f, {joined.data(), count});
  if (convex_ == nullptr) return;
  std::array<CostSegment, 2 * kMost> hull;
  f = convex_hull(f, {joined.data(), count}, hull.data());
  convex_->replace(t, f, {hull.data(), f.count});
}

// Where more import is better at both prices: the greater of what the two prices say.
void ImportTier::join_cheap_and_dear(std::size_t t, double cap, double penalty, double most) {
  constexpr std::size_t kMost = StageCostBuilder::kMostSegments;
  std::array<CostSegment, kMost> segments[2];
  StageCost costs[2];
  Step step = problem_->step(t);
  step.import_limit = std::min(step.import_limit, most);
  build_in_units(t, step, segments[0].data(), costs[0]);
  step.import_price += penalty;
  build_in_units(t, step, segments[1].data(), costs[1]);
  costs[1].cost_at_least -= penalty * cap;
  StageCost f = costs[0];
  const std::array<std::span<const CostSegment>, 2> all{
      std::span<const CostSegment>(segments[0].data(), costs[0].count),
      std::span<const CostSegment>(segments[1].data(), costs[1].count)};
  // Up to the first change at which the dear one is above, the cheap one.
  std::array<CostSegment, 2 * kMost> joined;
  std::size_t count = 0;
  if (f.feasible && f.jump == 0 && costs[1].jump == 0) {
    double x = f.least;
    double cheap = costs[0].cost_at_least;
    double dear = costs[1].cost_at_least;
    std::size_t i = 0;
    std::size_t j = 0;
    f.cost_at_least = std::max(cheap, dear);
    bool above = dear >= cheap;
    while (i < all[0].size() && j < all[1].size()) {
      const double end = std::min(all[0][i].end, all[1][j].end);
      if (end > x) {
        const double cheap_slope = all[0][i].slope;
        const double dear_slope = all[1][j].slope;
        const double cheap_end = cheap + cheap_slope * (end - x);
        const double dear_end = dear + dear_slope * (end - x);
        if (!above && dear_end > cheap_end) {
          const double cross = x + (cheap - dear) / (dear_slope - cheap_slope);
          if (cross > x) joined[count++] = {cheap_slope, std::min(cross, end)};
          above = true;
        }
        joined[count++] = {above ? dear_slope : cheap_slope, end};
        cheap = cheap_end;
        dear = dear_end;
        x = end;
      }
      if (all[0][i].end <= x) ++i;
      if (all[1][j].end <= x) ++j;
    }
  } else {
    for (const CostSegment& segment : all[0]) joined[count++] = segment;
  }
  f.convex = f.jump == 0 || f.jump_before >= count;
  for (std::size_t i = 1; i < count; ++i) f.convex &= joined[i - 1].slope <= joined[i].slope;
  f.count = static_cast<std::uint8_t>(count);
  costs_->replace(t, f, {joined.data(), count});
}

void ImportTier::build_in_units(std::size_t t, const Step& step, CostSegment* out, StageCost& f) {
  builder_->build(step, out, f);
  f.least /= unit(t);
  f.most /= unit(t);
  for (CostSegment* s = out; s < out + f.count; ++s) *s = {s->slope * unit(t), s->end / unit(t)};
}

double ImportTier::worth_by_merit(const Corner& c, double worth) const {
  // With `low` on every kWh imported it is no better to import more, with `high` no better to
  // import less.
  const double low = per_import(worth - c.slope_behind, c.rate_behind, c.penalty);
  return 0.5 * (low + std::max(low, per_import(worth - c.slope_before, c.rate_before, c.penalty)));
}

// With any worth of the cap, the step costs at least what it costs at an import price higher by
// that much, less the worth of the cap. The best worth is one at which two ways to use energy tie.
ImportTier::Tangent ImportTier::best_tangent(const Corner& c, double worth) {
  const Step plain = problem_->step(c.step);
  const double bought = plain.import_price;
  const double sold = plain.export_price;
  const double wear = problem_->devices.front().battery.degradation_cost;
  const double of_one = worth / unit(c.step);  // kWh DC
  Tangent best{-kNoLimit, 0};
  std::array<CostSegment, StageCostBuilder::kMostSegments> segments;
  for (const double price : {bought, bought + c.penalty, 0.0, sold, (of_one + wear) / served_,
                             of_one / diverted_, of_one / taken_}) {
    const double on_cap = std::clamp(price - bought, 0.0, c.penalty);
    Step step = plain;
    step.import_price = bought + on_cap;
    StageCost f;
    build_in_units(c.step, step, segments.data(), f);
    const double least = least_of(f, {segments.data(), f.count}, worth);
    if (least - on_cap * c.cap > best.least - best.worth_of_cap * c.cap) best = {least, on_cap};
  }
  return best;
}

ImportTier::Tangent ImportTier::tangent(std::size_t t, double worth) {
  if (corner_of_[t] != 0 && by_merit_[t] == 0) {
    return best_tangent(corners_[corner_of_[t] - 1], worth);
  }
  const StageCosts& costs = convex_ != nullptr ? *convex_ : *costs_;
  const double least = costs.best_changes(t, worth).cost;
  if (corner_of_[t] == 0) return {least, 0};
  const Corner& corner = corners_[corner_of_[t] - 1];
  const double on_cap = worth_by_merit(corner, worth);
  return {least + on_cap * corner.cap, on_cap};
}

}  // namespace bess
