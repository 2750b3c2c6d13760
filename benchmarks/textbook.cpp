// Surplus dispatch as a textbook writes it: one step after the other, a branch for each case. Writes
// the ten series in the order of bess.Result, each of `steps` values.
#include <algorithm>

extern "C" void surplus(const double* load, const double* solar, long steps, double low, double high,
                        double energy, double charge_limit, double discharge_limit, double ratio,
                        double solar_efficiency, double input, double output, double capacity,
                        double* series) {
  double* row[10];
  for (int i = 0; i < 10; ++i) row[i] = series + i * steps;
  for (long t = 0; t < steps; ++t) {
    const double sun_to_site = std::min(load[t], solar[t]);
    const double unserved = load[t] - sun_to_site;
    double charge = 0;
    double to_site = 0;
    if (solar[t] > load[t]) {
      const double surplus = (solar[t] - load[t]) * ratio;
      charge = std::min({surplus, charge_limit, (high - energy) / input});
      energy += charge * input;
    } else {
      const double drawn = std::min({unserved / output, discharge_limit, energy - low});
      to_site = drawn * output;
      energy -= drawn;
    }
    const double sold = solar[t] - sun_to_site - charge / ratio;
    row[0][t] = unserved - to_site;
    row[1][t] = 0;
    row[2][t] = charge;
    row[3][t] = sun_to_site;
    row[4][t] = sold;
    row[5][t] = (solar[t] - sun_to_site - charge / ratio - sold) / solar_efficiency;
    row[6][t] = to_site;
    row[7][t] = 0;
    row[8][t] = row[0][t] - sold;
    row[9][t] = energy / capacity;
  }
}
