// Compiled for AVX2: runs only where widest_instruction_set() says so.
#include "bess/rule_kernel_source.hpp"

namespace bess {

double work_packs_avx2(const RuleTerms& terms, const Horizon& horizon, std::size_t packs,
                       double energy) {
  return work_packs(terms, horizon, packs, energy);
}

}  // namespace bess
