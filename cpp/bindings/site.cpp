#include "bess/site.hpp"

#include "holders.hpp"

namespace bess::border {

void bind_site(py::module_& m) {
  py::class_<SiteHolder>(m, "Site").def(
      py::init(
          [](Array<double> load, Array<double> solar, std::optional<Array<double>> export_limit,
             std::optional<Array<double>> import_limit, std::optional<Array<double>> inverter_limit,
             double solar_dc_to_ac_efficiency, bool solar_to_grid) {
            const Site site{borrow(load),         borrow(solar),          borrow(export_limit),
                            borrow(import_limit), borrow(inverter_limit), solar_dc_to_ac_efficiency,
                            solar_to_grid};
            return SiteHolder{std::move(load),           std::move(solar),
                              std::move(export_limit),   std::move(import_limit),
                              std::move(inverter_limit), site};
          }),
      py::arg("load").noconvert(), py::arg("solar").noconvert(),
      py::arg("export_limit").noconvert(), py::arg("import_limit").noconvert(),
      py::arg("inverter_limit").noconvert(), py::arg("solar_dc_to_ac_efficiency"),
      py::arg("solar_to_grid"));
}

}  // namespace bess::border
