// Stochastic depth (Huang et al. 2016, arXiv:1603.09382): residual branches left out at random.
#include <mlaan/nn/layers/drop_path.h>

#include <cstdint>
#include <vector>

namespace mlaan {
namespace {

std::vector<DropsPath*> blocks_of(const Backbone& backbone) {
  std::vector<DropsPath*> blocks;
  for (const auto& unit : backbone.units()) {
    for (const auto& layer : unit.layers()) {
      auto* block = dynamic_cast<DropsPath*>(layer.module.ptr().get());
      if (block != nullptr) blocks.push_back(block);
    }
  }
  return blocks;
}

}  // namespace

torch::Tensor DropsPath::drop_path(const torch::Tensor& branch) const {
  const double kept = 1 - share_;
  std::vector<std::int64_t> of_samples(static_cast<std::size_t>(branch.dim()), 1);
  of_samples.at(0) = branch.size(0);
  return branch * torch::empty(of_samples, branch.options().requires_grad(false))
                      .bernoulli_(kept)
                      .div_(kept);
}

void set_drop_path(const Backbone& backbone, double share) {
  const auto blocks = blocks_of(backbone);
  if (blocks.empty() && share > 0) {
    throw UserError("drop_path = " + std::to_string(share) + ": " + backbone.name() +
                    " has no residual blocks whose branches could be dropped; accepted: 0, or -1");
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto last = static_cast<double>(blocks.size() - 1);
    blocks[i]->set_drop_path(last > 0 ? share * static_cast<double>(i) / last : 0);
  }
}

}  // namespace mlaan
