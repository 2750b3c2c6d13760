#include "bess/import_tier.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "bess/step_range.hpp"

namespace bess {
namespace {

// A gain for each kWh DC as one for each kWh of import, between 0 and `most`.
double per_import(double gain, double rate, double most) {
  if (gain <= 0) return 0;
  return gain < most * rate ? gain / rate : most;
}

}  // namespace

bool ImportTier::start(const Problem& problem, StageCosts& costs) {
  costs_ = &costs;
  const Site& site = problem.site;
  const Battery& b = problem.devices.front().battery;
  const double stored_per_solar =
      b.solar_charge_ratio(site.solar_dc_to_ac_efficiency) * b.input_efficiency;
  served_ = b.dc_to_ac_efficiency;
  diverted_ = 1.0 / stored_per_solar;
  taken_ = 1.0 / (b.ac_to_dc_efficiency * b.input_efficiency);
  const double storable = b.solar_to_battery ? stored_per_solar : 0.0;
  const std::size_t steps = site.steps();
  curves_.resize(steps);
  most_.resize(steps);
  corner_of_.assign(steps, 0);
  corners_.clear();
  bool known = true;
  for (std::size_t t = 0; t < steps; ++t) {
    const double bought = problem.import_price[t];
    const double sold = problem.export_price[t];
    known &= sold >= 0 && sold <= bought && costs[t].convex;
    const Energies<double, true> energies = energies_at(site, b, t);
    const double deficit = energies.deficit();
    curves_[t] = {deficit - energies.beside_sun(deficit), deficit, energies.surplus() * storable,
                  site.solar[t] * storable};
    most_[t] = import_at(t, costs[t].most);
  }
  return known;
}

double ImportTier::import_at(std::size_t t, double x) const {
  const ImportCurve& c = curves_[t];
  if (x <= 0) return std::max(c.deficit + served_ * x, c.least);
  return c.deficit + std::max(std::min(x, c.from_solar) - c.from_surplus, 0.0) * diverted_ +
         std::max(x - c.from_solar, 0.0) * taken_;
}

// The greatest change that imports no more; `import` is less than at the greatest of all.
double ImportTier::change_at(std::size_t t, double import) const {
  const ImportCurve& c = curves_[t];
  if (import < c.deficit) return (import - c.deficit) / served_;
  const double more = import - c.deficit;
  const double diverted = (c.from_solar - c.from_surplus) * diverted_;
  if (more < diverted) return c.from_surplus + more / diverted_;
  return c.from_solar + (more - diverted) / taken_;
}

double ImportTier::rate_between(std::size_t t, double from, double to) const {
  const ImportCurve& c = curves_[t];
  const double middle = 0.5 * (from + to);
  if (middle < 0) return c.deficit + served_ * middle > c.least ? served_ : 0.0;
  if (middle < c.from_surplus) return 0.0;
  return middle < c.from_solar ? diverted_ : taken_;
}

void ImportTier::set(std::span<const double> cap, std::span<const double> penalty) {
  costs_->restore();
  for (const Corner& corner : corners_) corner_of_[corner.step] = 0;
  corners_.clear();
  for (std::size_t t = 0; t < most_.size(); ++t) {
    if (most_[t] > cap[t]) add_penalty(t, cap[t], penalty[t]);
  }
}

void ImportTier::add_penalty(std::size_t t, double cap, double penalty) {
  StageCost f = (*costs_)[t];
  const std::span<const CostSegment> plain = costs_->segments(t);
  const double width = f.most - f.least;
  const double x = std::clamp(change_at(t, cap), f.least, f.most);
  // Never passed: no import before the least change, and no change behind the greatest.
  Corner corner{static_cast<std::uint32_t>(t), penalty, -kNoLimit, kNoLimit, 1, 1};
  std::array<CostSegment, StageCostBuilder::kMostSegments + 1> dear;
  std::size_t count = 0;
  double from = f.least;
  const double above = import_at(t, f.least) - cap;
  f.cost_at_least += penalty * std::max(above, 0.0);
  for (const CostSegment& segment : plain) {
    const double rate = rate_between(t, from, segment.end);
    const bool before = x - from > 1e-13 * width;
    const bool behind = segment.end - x > 1e-13 * width;
    if (before) {
      corner.slope_before = segment.slope;
      corner.rate_before = rate;
      dear[count++] = {segment.slope, behind ? x : segment.end};
    }
    if (behind) {
      if (corner.slope_behind == kNoLimit) {
        corner.slope_behind = above > 0 ? -kNoLimit : segment.slope;
        corner.rate_behind = rate;
      }
      dear[count++] = {segment.slope + penalty * rate, segment.end};
    }
    from = segment.end;
  }
  assert(count <= dear.size());
  f.count = static_cast<std::uint8_t>(count);
  costs_->replace(t, f, {dear.data(), count});
  corners_.push_back(corner);
  corner_of_[t] = static_cast<std::uint32_t>(corners_.size());
}

double ImportTier::worth_of_cap(std::size_t t, double worth) const {
  if (corner_of_[t] == 0) return 0;
  const Corner& c = corners_[corner_of_[t] - 1];
  // With `least` on every kWh imported it is no better to import more, with `most` no better to
  // import less.
  const double low = per_import(worth - c.slope_behind, c.rate_behind, c.penalty);
  return 0.5 * (low + std::max(low, per_import(worth - c.slope_before, c.rate_before, c.penalty)));
}

}  // namespace bess
