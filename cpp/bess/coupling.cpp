// A step's columns get one more entry for each row of the step in which they cross the meter; what
// crosses it without them goes to the row's bounds.
#include "bess/coupling.hpp"

namespace bess {
namespace {

// Room for `extra` more numbers comes first: what follows is appended.
template <typename T>
void begin_with(LargeVector<T>& to, const LargeVector<T>& from, std::size_t extra) {
  to.reserve(from.size() + extra);
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

LinearProgram couple(const LinearProgram& program, const Coupling& coupling) {
  LinearProgram joined;
  joined.energy_unit = program.energy_unit;
  joined.cost_unit = program.cost_unit;
  joined.offset = program.offset + coupling.offset;
  joined.layout = program.layout;
  joined.has_flows = program.has_flows;
  joined.step_column = program.step_column;
  const double unit = program.energy_unit;
  const std::size_t steps = program.base_import.size();
  const std::size_t columns = program.column_cost.size();
  const auto first_row = static_cast<std::int32_t>(program.row_lower.size());

  const std::size_t most_entries =
      program.index.size() + coupling.index.size() +
      6 * (coupling.step_row.size() + steps * coupling.drawn_row.size());
  joined.start.reserve(columns + coupling.start.size());
  joined.index.reserve(most_entries);
  joined.value.reserve(most_entries);
  const auto copy_entries = [&](std::size_t j) {
    joined.start.push_back(static_cast<std::int32_t>(joined.index.size()));
    const auto first = program.start[j];
    const auto last = program.start[j + 1];
    joined.index.insert(joined.index.end(), program.index.begin() + first,
                        program.index.begin() + last);
    joined.value.insert(joined.value.end(), program.value.begin() + first,
                        program.value.begin() + last);
  };
  for (std::size_t t = 0; t < steps; ++t) {
    const auto end = static_cast<std::size_t>(program.step_column[t + 1]);
    for (auto j = static_cast<std::size_t>(program.step_column[t]); j < end; ++j) {
      copy_entries(j);
      const double imported = program.import_per_column[j];
      const double exported = program.export_per_column[j];
      const double drawn = program.drawn_per_column[j];
      if (drawn != 0) {
        const auto device = static_cast<std::int32_t>(program.device_of(t, j));
        for (std::size_t k = 0; k < coupling.drawn_device.size(); ++k) {
          if (coupling.drawn_device[k] != device) continue;
          joined.index.push_back(first_row + coupling.drawn_row[k]);
          joined.value.push_back(drawn * coupling.drawn_factor[k]);
        }
      }
      if (imported == 0 && exported == 0) continue;
      const auto last = static_cast<std::size_t>(coupling.step_start[t + 1]);
      for (auto k = static_cast<std::size_t>(coupling.step_start[t]); k < last; ++k) {
        const double factor =
            imported * coupling.import_factor[k] + exported * coupling.export_factor[k];
        if (factor == 0) continue;
        joined.index.push_back(first_row + coupling.step_row[k]);
        joined.value.push_back(factor);
      }
    }
  }
  for (auto j = static_cast<std::size_t>(program.step_column[steps]); j < columns; ++j) {
    copy_entries(j);
  }

  const std::size_t more_columns = coupling.column_cost.size();
  const std::size_t more_rows = coupling.row_lower.size();
  begin_with(joined.column_cost, program.column_cost, more_columns);
  begin_with(joined.tie_cost, program.tie_cost, more_columns);
  begin_with(joined.column_lower, program.column_lower, more_columns);
  begin_with(joined.column_upper, program.column_upper, more_columns);
  begin_with(joined.import_per_column, program.import_per_column, more_columns);
  begin_with(joined.export_per_column, program.export_per_column, more_columns);
  begin_with(joined.drawn_per_column, program.drawn_per_column, more_columns);
  begin_with(joined.integrality, program.integrality, more_columns);
  begin_with(joined.row_lower, program.row_lower, more_rows);
  begin_with(joined.row_upper, program.row_upper, more_rows);
  begin_with(joined.base_import, program.base_import, 0);
  begin_with(joined.base_export, program.base_export, 0);
  for (std::size_t j = 0; j + 1 < coupling.start.size(); ++j) {
    const bool binary = coupling.integrality[j] != 0;
    const double scale = binary ? 1.0 : unit;  // of the column's own number
    joined.column_cost.push_back(coupling.column_cost[j] * scale / (program.cost_unit * unit));
    joined.tie_cost.push_back(0);
    joined.column_lower.push_back(coupling.column_lower[j] / scale);
    joined.column_upper.push_back(coupling.column_upper[j] / scale);
    joined.import_per_column.push_back(0);
    joined.export_per_column.push_back(0);
    joined.drawn_per_column.push_back(0);
    joined.integrality.push_back(binary ? 1 : 0);
    joined.start.push_back(static_cast<std::int32_t>(joined.index.size()));
    const auto last = static_cast<std::size_t>(coupling.start[j + 1]);
    for (auto k = static_cast<std::size_t>(coupling.start[j]); k < last; ++k) {
      joined.index.push_back(first_row + coupling.index[k]);
      joined.value.push_back(coupling.value[k] * scale / unit);
    }
  }
  joined.start.push_back(static_cast<std::int32_t>(joined.index.size()));

  LargeVector<double> base(coupling.row_lower.size(), 0.0);
  for (std::size_t t = 0; t < steps; ++t) {
    const auto last = static_cast<std::size_t>(coupling.step_start[t + 1]);
    for (auto k = static_cast<std::size_t>(coupling.step_start[t]); k < last; ++k) {
      base[static_cast<std::size_t>(coupling.step_row[k])] +=
          coupling.import_factor[k] * program.base_import[t] +
          coupling.export_factor[k] * program.base_export[t];
    }
  }
  for (std::size_t r = 0; r < base.size(); ++r) {
    joined.row_lower.push_back((coupling.row_lower[r] - base[r]) / unit);
    joined.row_upper.push_back((coupling.row_upper[r] - base[r]) / unit);
  }
  return joined;
}

}  // namespace bess
