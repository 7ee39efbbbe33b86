// Trains your own multilayer perceptron by MLAAN: the chain is plain torch::nn, mlaan cuts it.
#include <mlaan/mlaan.h>

#include <torch/torch.h>

#include <cstdio>

namespace {

/// Points on three interleaved spiral arms: a problem that no linear model solves.
void draw_spirals(std::int64_t count, torch::Tensor& points, torch::Tensor& arms) {
  arms = torch::arange(count) % 3;
  const auto radius = torch::rand({count});
  const auto angle = 6 * radius + arms * (2 * 3.14159265 / 3) + 0.15 * torch::randn({count});
  points = torch::stack({radius * angle.cos(), radius * angle.sin()}, 1);
}

double error(mlaan::Engine& engine, const torch::Tensor& points, const torch::Tensor& arms) {
  return engine.predict(points).argmax(1).ne(arms).to(torch::kFloat32).mean().item<double>();
}

}  // namespace

int main() {
  mlaan::prepare_process();
  torch::manual_seed(1);

  // 1. Your own chain of layers. What shapes they take is found out by running them once.
  torch::nn::Sequential chain;
  chain->push_back(torch::nn::Linear(2, 64));
  chain->push_back(torch::nn::ReLU());
  for (int layer = 0; layer < 5; ++layer) {
    chain->push_back(torch::nn::Linear(64, 64));
    chain->push_back(torch::nn::BatchNorm1d(64));
    chain->push_back(torch::nn::ReLU());
  }
  chain->push_back(torch::nn::Linear(64, 3));

  torch::Tensor points, arms, test_points, test_arms;
  draw_spirals(3000, points, arms);
  draw_spirals(1000, test_points, test_arms);

  // 2. Cut it into gradient-isolated modules, and choose a method: the result is a plan, a value.
  const auto backbone = mlaan::Backbone::from(chain, points);
  const auto partition = mlaan::Partition::uniform(backbone, 3);
  const auto plan = mlaan::methods::mlaan(backbone, partition);

  // 3. Train. One call is one step: forward, backward and update of every module.
  mlaan::EngineOptions options;
  mlaan::SgdOptions descent;
  descent.lr = 0.05;
  options.optimizer = mlaan::sgd(descent);
  mlaan::Engine engine(backbone, plan, options);
  std::printf("error before training: %.1f %%\n", 100 * error(engine, test_points, test_arms));
  for (int epoch = 0; epoch < 20; ++epoch) {
    const auto order = torch::randperm(points.size(0), torch::kInt64);
    for (const auto& batch : order.split(100)) {
      engine.step(points.index_select(0, batch), arms.index_select(0, batch));
    }
  }
  const double after = error(engine, test_points, test_arms);
  std::printf("error after training: %.1f %%\n", 100 * after);
  return after < 0.1 ? 0 : 1;
}
