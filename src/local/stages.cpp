// Which modules of a network each of several processes trains.
#include <mlaan/core/error.h>
#include <mlaan/local/stages.h>

#include <string>

namespace mlaan {

void check(const Stages& stages, std::size_t modules) {
  const auto& first = stages.first_modules;
  bool fits = !first.empty() && first.front() == 0 && first.back() < modules;
  std::string said;
  for (std::size_t s = 1; s < first.size(); ++s) {
    fits = fits && first[s - 1] < first[s];
    said += (said.empty() ? "" : ", ") + std::to_string(first[s] + 1);
  }
  if (fits) return;
  throw UserError("stages cannot begin with the modules " + said + " of " +
                  std::to_string(modules) +
                  "; accepted: as many ascending ones, from 2 on, as there are stages after the "
                  "first");
}

}  // namespace mlaan
