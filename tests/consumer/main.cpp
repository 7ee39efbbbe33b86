// A program of somebody else's that uses mlaan.
#include <mlaan/mlaan.h>

#include <torch/nn/modules/linear.h>

#include <cstdio>

int main() {
  torch::nn::Sequential chain(torch::nn::Linear(4, 8), torch::nn::Linear(8, 8),
                              torch::nn::Linear(8, 2));
  const auto inputs = torch::randn({6, 4});
  const auto backbone = mlaan::Backbone::from(chain, inputs);
  mlaan::Engine engine(backbone,
                       mlaan::methods::dgl(backbone, mlaan::Partition::uniform(backbone, 2)));
  const auto result = engine.step(inputs, torch::zeros({6}, torch::kInt64));
  std::printf("%lld losses\n", static_cast<long long>(result.losses.size(0)));
  return result.losses.size(0) == 2 ? 0 : 1;
}
