// Parametric simplex. The least of cost - worth * x over the step's flows is found for every worth
// from minus to plus infinity: first the least change x, and of that the least cost; then, as the
// worth rises, a flow enters the basis whenever its reduced cost falls to 0, and x moves on to the
// next corner. The worths at which that happens are the slopes of the cost as a function of x, the
// moves are its widths. Bland's rule throughout, so that no degenerate corner makes it cycle.
#include "bess/generic_stage_cost.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <utility>

namespace bess {
namespace {

constexpr double kRounding = 1e-11;
constexpr double kUnlimited = 1e12;

enum Flow : std::size_t {
  kGridToSite,
  kSolarToSite,
  kSolarToGrid,
  kGridToBattery,
  kSolarToBattery,  // kWh AC
  kBatteryToSite,
  kBatteryToGrid,
  kFlows,
};

class Tableau {
 public:
  Tableau(const Step& step, const Site& site, const Battery& b, StepModes modes)
      : load_(step.load) {
    const double solar_ratio = b.solar_charge_ratio(site.solar_dc_to_ac_efficiency);
    const double grid_ratio = b.ac_to_dc_efficiency;
    const double per_discharge = 1.0 / b.dc_to_ac_efficiency;
    add_row({{kGridToSite, 1}, {kSolarToSite, 1}, {kBatteryToSite, 1}}, step.load, true);
    add_row({{kSolarToSite, 1}, {kSolarToGrid, 1}, {kSolarToBattery, 1}}, step.solar, false);
    add_row({{kGridToBattery, grid_ratio}, {kSolarToBattery, solar_ratio}}, b.charge_limit, false);
    add_row({{kBatteryToSite, per_discharge}, {kBatteryToGrid, per_discharge}}, b.discharge_limit,
            false);
    add_row({{kSolarToGrid, 1}, {kBatteryToGrid, 1}}, std::min(step.export_limit, kUnlimited),
            false);
    add_row({{kGridToSite, 1}, {kGridToBattery, 1}}, std::min(step.import_limit, kUnlimited),
            false);
    const double inverter = std::min(step.inverter_limit, kUnlimited);
    add_row({{kSolarToSite, 1}, {kSolarToGrid, 1}, {kBatteryToSite, 1}, {kBatteryToGrid, 1}},
            inverter, false);
    add_row({{kGridToBattery, 1}}, inverter, false);
    const auto bar = [&](std::size_t flow, bool permitted) { barred_[flow] = !permitted; };
    bar(kGridToSite, modes.import);
    bar(kGridToBattery, modes.import && modes.charge && b.grid_to_battery);
    bar(kSolarToBattery, modes.charge && b.solar_to_battery);
    bar(kSolarToGrid, modes.exporting && site.solar_to_grid);
    bar(kBatteryToSite, modes.discharge);
    bar(kBatteryToGrid, modes.exporting && modes.discharge && b.battery_to_grid);
    cost_[kGridToSite] = cost_[kGridToBattery] = step.import_price;
    cost_[kSolarToGrid] = cost_[kBatteryToGrid] = -step.export_price;
    cost_[kBatteryToSite] += b.degradation_cost * per_discharge;
    cost_[kBatteryToGrid] += b.degradation_cost * per_discharge;
    change_[kGridToBattery] = grid_ratio * b.input_efficiency;
    change_[kSolarToBattery] = solar_ratio * b.input_efficiency;
    change_[kBatteryToSite] = change_[kBatteryToGrid] = -per_discharge;
  }

  PiecewiseLinear cost_of_change() {
    PiecewiseLinear result;
    // The load is served by nothing that exists; drive that out.
    Objective missing{};
    for (std::size_t j = 0; j < columns_; ++j) missing[j] = j == artificial_ ? 0.0 : -rows_[0][j];
    missing[kRight] = -rows_[0][kRight];
    minimise(missing, [](std::size_t) { return true; });
    if (-missing[kRight] > kRounding * std::max(1.0, load_)) return result;
    barred_[artificial_] = true;
    drive_out_artificial();
    minimise(change_, [](std::size_t) { return true; });
    minimise(cost_, [&](std::size_t j) { return std::abs(change_[j]) <= kRounding; });
    result.end = -change_[kRight];
    double value = -cost_[kRight];
    result.segments.push_back({result.end, value, 0.0});
    for (;;) {
      std::size_t entering = columns_;
      double least = kNoLimit;
      for (std::size_t j = 0; j < columns_; ++j) {
        if (barred_[j] || is_basic(j) || change_[j] <= kRounding) continue;
        const double worth = cost_[j] / change_[j];
        if (worth < least) {
          least = worth;
          entering = j;
        }
      }
      if (entering == columns_) break;
      const double slope = cost_[entering] / change_[entering];
      if (!pivot_in(entering)) break;
      const double next = -change_[kRight];
      if (next <= result.end) continue;
      if (result.segments.back().start == result.end) {
        result.segments.back().slope = slope;
      } else {
        result.segments.push_back({result.end, value, slope});
      }
      value += slope * (next - result.end);
      result.end = next;
    }
    return result;
  }

 private:
  static constexpr std::size_t kRows = 8;
  static constexpr std::size_t kColumns = kFlows + kRows;  // flows, then a slack for each row
  static constexpr std::size_t kRight = kColumns;
  using Objective = std::array<double, kColumns + 1>;

  void add_row(std::initializer_list<std::pair<std::size_t, double>> entries, double right,
               bool equal) {
    std::array<double, kColumns + 1>& row = rows_[row_count_];
    for (const auto& [column, value] : entries) row[column] = value;
    row[kFlows + row_count_] = 1;
    row[kRight] = right;
    basis_[row_count_] = kFlows + row_count_;
    if (equal) artificial_ = kFlows + row_count_;
    ++row_count_;
  }

  bool is_basic(std::size_t j) const {
    return std::find(basis_.begin(), basis_.end(), j) != basis_.end();
  }

  template <typename Allowed>
  void minimise(Objective& objective, const Allowed& allowed) {
    for (;;) {
      std::size_t entering = columns_;
      for (std::size_t j = 0; j < columns_ && entering == columns_; ++j) {
        if (!barred_[j] && !is_basic(j) && allowed(j) && objective[j] < -kRounding) entering = j;
      }
      if (entering == columns_ || !pivot_in(entering, &objective)) return;
    }
  }

  // False where nothing stops the column from growing.
  bool pivot_in(std::size_t entering, Objective* other = nullptr) {
    std::size_t leaving = kRows;
    double least = kNoLimit;
    for (std::size_t i = 0; i < kRows; ++i) {
      if (rows_[i][entering] <= kRounding) continue;
      const double ratio = rows_[i][kRight] / rows_[i][entering];
      if (ratio < least || (ratio == least && basis_[i] < basis_[leaving])) {
        least = ratio;
        leaving = i;
      }
    }
    if (leaving == kRows) return false;
    pivot(leaving, entering, other);
    return true;
  }

  // Basic though 0, it could grow again.
  void drive_out_artificial() {
    const auto found = std::find(basis_.begin(), basis_.end(), artificial_);
    if (found == basis_.end()) return;
    const auto i = static_cast<std::size_t>(found - basis_.begin());
    rows_[i][kRight] = 0;
    for (std::size_t j = 0; j < columns_; ++j) {
      if (barred_[j] || is_basic(j) || std::abs(rows_[i][j]) <= kRounding) continue;
      pivot(i, j, nullptr);
      return;
    }
  }

  void pivot(std::size_t leaving, std::size_t entering, Objective* other) {
    std::array<double, kColumns + 1>& row = rows_[leaving];
    const double scale = 1.0 / row[entering];
    for (double& value : row) value *= scale;
    row[entering] = 1;
    const auto clear = [&](std::array<double, kColumns + 1>& target) {
      const double factor = target[entering];
      if (factor == 0) return;
      for (std::size_t j = 0; j <= kColumns; ++j) target[j] -= factor * row[j];
      target[entering] = 0;
    };
    for (std::size_t i = 0; i < kRows; ++i) {
      if (i != leaving) clear(rows_[i]);
      rows_[i][kRight] = std::max(rows_[i][kRight], 0.0);
    }
    clear(cost_);
    clear(change_);
    if (other != nullptr && other != &cost_ && other != &change_) clear(*other);
    basis_[leaving] = entering;
  }

  static constexpr std::size_t columns_ = kColumns;
  std::array<std::array<double, kColumns + 1>, kRows> rows_{};
  std::array<std::size_t, kRows> basis_{};
  std::array<bool, kColumns> barred_{};
  Objective cost_{};    // reduced costs, and less the cost of the corner
  Objective change_{};  // the same for the change of stored energy
  double load_;
  std::size_t row_count_ = 0;
  std::size_t artificial_ = 0;
};

}  // namespace

PiecewiseLinear stage_cost_in_modes(const Step& step, const Site& site, const Battery& battery,
                                    StepModes modes) {
  return Tableau(step, site, battery, modes).cost_of_change();
}

PiecewiseLinear generic_stage_cost(const Step& step, const Site& site, const Battery& battery) {
  PiecewiseLinear branches[4];
  double low = kNoLimit;
  double high = -kNoLimit;
  double steepest = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const bool imports = i % 2 == 0;
    const bool charges = i / 2 == 1;
    branches[i] = stage_cost_in_modes(step, site, battery, {imports, !imports, charges, !charges});
    if (branches[i].segments.empty()) continue;
    low = std::min(low, branches[i].segments.front().start);
    high = std::max(high, branches[i].end);
    for (const Segment& segment : branches[i].segments) {
      steepest = std::max(steepest, std::abs(segment.slope));
    }
  }
  if (low > high) return {};
  const double size = std::max(high - low, 1e-3);
  Envelope envelope({1e-12 * size, 1e-13 * steepest * size, 1e-11 * steepest * size});
  envelope.start(low, high);
  for (const PiecewiseLinear& branch : branches) envelope.fold(branch);
  return envelope.result();
}

}  // namespace bess
