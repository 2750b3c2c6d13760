#include "bess/rolling.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_rolling(py::module_& m) {
  m.def(
      "roll",
      [](const ProblemHolder& actual, const Array<double>& load, const Array<double>& solar,
         std::size_t load_stride, std::size_t solar_stride, std::size_t horizon, std::size_t replan,
         std::size_t first, std::size_t last, double energy) {
        const Forecast forecast{{borrow(load), load_stride}, {borrow(solar), solar_stride}};
        const std::size_t steps = last - first;
        Block energies = take_block(steps);
        Block worths = take_block(steps);
        Shortfalls shortfalls;
        {
          const py::gil_scoped_release release;
          roll(actual.problem, forecast, {horizon, replan}, first, last, energy,
               {energies.get(), steps}, {worths.get(), steps}, shortfalls);
        }
        return py::make_tuple(block_array(std::move(energies), {steps}),
                              block_array(std::move(worths), {steps}), shortfalls.relaxed_plans,
                              shortfalls.over_import_limit);
      },
      py::arg("actual"), py::arg("load").noconvert(), py::arg("solar").noconvert(),
      py::arg("load_stride"), py::arg("solar_stride"), py::arg("horizon"), py::arg("replan"),
      py::arg("first"), py::arg("last"), py::arg("energy"));

  m.def(
      "carry_out",
      [](const SiteHolder& site, const Device& device, std::size_t first, double energy,
         const Array<double>& changes) {
        std::vector<double> energies;
        Shortfalls shortfalls;
        const std::vector<double> kept = least_energies(site.site, device.battery);
        for (const double change : borrow(changes)) {
          const std::size_t t = first + energies.size();
          const double least = kept.empty() ? device.battery.minimum_energy : kept[t];
          energy = carry_out(site.site, device.battery, device.windows, t, least, energy, change,
                             shortfalls);
          energies.push_back(energy);
        }
        return py::make_tuple(energies, shortfalls.over_import_limit);
      },
      py::arg("site"), py::arg("device"), py::arg("first"), py::arg("energy"),
      py::arg("changes").noconvert());
}

}  // namespace bess::border
