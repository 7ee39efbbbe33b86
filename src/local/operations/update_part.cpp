// Steps the optimizer of a module or of a net.
#include "local/operations/update_part.h"

#include "local/execution.h"

namespace mlaan {

void UpdatePart::execute(Execution& execution) const {
  execution.trained.take_gradient(net_ ? execution.network.modules().size() + *net_ : module());
}

Access UpdatePart::access() const {
  if (net_) {
    return {
        {},
        {{Resource::Kind::net_parameters, 0, *net_}, {Resource::Kind::net_gradients, 0, *net_}}};
  }
  return {{},
          {{Resource::Kind::module_parameters, module()},
           {Resource::Kind::module_gradients, module()}}};
}

std::string UpdatePart::text() const {
  return net_ ? "update net " + std::to_string(*net_ + 1)
              : "update " + std::to_string(module() + 1);
}

}  // namespace mlaan
