// For what every machine of its kind has.
#include "bess/rule_kernel_source.hpp"

namespace bess {

double work_packs_baseline(const RuleTerms& terms, const Horizon& horizon, std::size_t packs,
                           double energy) {
  return work_packs(terms, horizon, packs, energy);
}

}  // namespace bess
