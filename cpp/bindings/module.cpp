// The extension module: one bind function for each core header.
#include <pybind11/pybind11.h>

namespace bess::border {
void bind_battery(pybind11::module_& m);
void bind_site(pybind11::module_& m);
void bind_corridor(pybind11::module_& m);
void bind_rules(pybind11::module_& m);
void bind_device(pybind11::module_& m);
void bind_settlement(pybind11::module_& m);
void bind_sharing(pybind11::module_& m);
void bind_linear_program(pybind11::module_& m);
void bind_coupling(pybind11::module_& m);
void bind_cut_oracle(pybind11::module_& m);
void bind_stretch_program(pybind11::module_& m);
void bind_solution(pybind11::module_& m);
void bind_stage_cost(pybind11::module_& m);
void bind_dynamic_program(pybind11::module_& m);
void bind_schedule(pybind11::module_& m);
void bind_rolling(pybind11::module_& m);
void bind_optimum_sweep(pybind11::module_& m);
void bind_size_cut(pybind11::module_& m);
void bind_sweep(pybind11::module_& m);
}  // namespace bess::border

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  bess::border::bind_battery(m);
  bess::border::bind_site(m);
  bess::border::bind_corridor(m);
  bess::border::bind_rules(m);
  bess::border::bind_device(m);
  bess::border::bind_settlement(m);
  bess::border::bind_sharing(m);
  bess::border::bind_linear_program(m);
  bess::border::bind_coupling(m);
  bess::border::bind_cut_oracle(m);
  bess::border::bind_stretch_program(m);
  bess::border::bind_solution(m);
  bess::border::bind_stage_cost(m);
  bess::border::bind_dynamic_program(m);
  bess::border::bind_schedule(m);
  bess::border::bind_rolling(m);
  bess::border::bind_optimum_sweep(m);
  bess::border::bind_size_cut(m);
  bess::border::bind_sweep(m);
}
