// Where the rows of a step stand in the linear program.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bess/problem.hpp"

namespace bess {

// A step has a load row, a solar row and three rows for each device (stored energy, charge,
// discharge); then an export and an import row, where the step is exclusive or has the limit, and
// an inverter row where it has that limit.
class RowLayout {
 public:
  RowLayout(const Problem& problem, std::span<const std::uint8_t> exclusive)
      : site_(problem.site), exclusive_(exclusive), first_(problem.site.steps() + 1) {
    const std::size_t steps = problem.site.steps();
    const std::size_t always = 2 + 3 * problem.devices.size();
    std::size_t row = 0;
    for (std::size_t t = 0; t < steps; ++t) {
      first_[t] = static_cast<std::int32_t>(row);
      const std::size_t exports = has_export(t) ? 1 : 0;
      const std::size_t imports = has_import(t) ? 1 : 0;
      const std::size_t inverters = has_inverter(t) ? 1 : 0;
      row += always + exports + imports + inverters;
      export_rows_ += exports;
      import_rows_ += imports;
      inverter_rows_ += inverters;
      exclusive_steps_ += is_exclusive(t) ? 1 : 0;
    }
    first_[steps] = static_cast<std::int32_t>(row);
  }

  std::size_t size() const { return static_cast<std::size_t>(first_.back()); }
  std::size_t export_rows() const { return export_rows_; }
  std::size_t import_rows() const { return import_rows_; }
  std::size_t inverter_rows() const { return inverter_rows_; }
  std::size_t exclusive_steps() const { return exclusive_steps_; }

  bool is_exclusive(std::size_t t) const { return !exclusive_.empty() && exclusive_[t] != 0; }
  bool has_export(std::size_t t) const {
    return is_exclusive(t) || std::isfinite(site_.export_limit_at(t));
  }
  bool has_import(std::size_t t) const {
    return is_exclusive(t) || std::isfinite(site_.import_limit_at(t));
  }
  bool has_inverter(std::size_t t) const { return std::isfinite(site_.inverter_limit_at(t)); }

  std::int32_t load(std::size_t t) const { return first_[t]; }
  std::int32_t solar(std::size_t t) const { return first_[t] + 1; }
  std::int32_t energy(std::size_t t, std::size_t i) const {
    return first_[t] + 2 + 3 * static_cast<std::int32_t>(i);
  }
  std::int32_t charge(std::size_t t, std::size_t i) const { return energy(t, i) + 1; }
  std::int32_t discharge(std::size_t t, std::size_t i) const { return energy(t, i) + 2; }
  // Require that the step has the row.
  std::int32_t export_row(std::size_t t) const { return import_row(t) - (has_import(t) ? 1 : 0); }
  std::int32_t import_row(std::size_t t) const { return first_[t + 1] - (has_inverter(t) ? 2 : 1); }
  std::int32_t inverter_row(std::size_t t) const { return first_[t + 1] - 1; }

 private:
  const Site& site_;
  std::span<const std::uint8_t> exclusive_;
  std::vector<std::int32_t> first_;
  std::size_t export_rows_ = 0;
  std::size_t import_rows_ = 0;
  std::size_t inverter_rows_ = 0;
  std::size_t exclusive_steps_ = 0;
};

}  // namespace bess
