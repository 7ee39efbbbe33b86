// How an engine gets its optimizers: one for each module and each auxiliary net.
#include "local/foreach_sgd.h"

#include <mlaan/local/optimizer.h>

namespace mlaan {

OptimizerFactory sgd(const SgdOptions& options) {
  return [options](std::vector<torch::Tensor> parameters) {
    return std::make_unique<ForeachSgd>(std::move(parameters),
                                        torch::optim::SGDOptions(options.lr)
                                            .momentum(options.momentum)
                                            .weight_decay(options.weight_decay)
                                            .nesterov(options.nesterov && options.momentum > 0));
  };
}

}  // namespace mlaan
