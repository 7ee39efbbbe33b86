// Ten steps of every method on one batch, augmented anew each time: the losses are those checked
// in, method.txt each. A change that means to move them writes them anew: MLAAN_WRITE_GOLDEN=1
// mlaan_tests
// --gtest_filter='*Golden*'.
#include "support/configured.h"
#include "support/folders.h"

#include <mlaan/local/method.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>

namespace mlaan::testing {
namespace {

/// Weighted sum of the losses of each of ten steps, in float64, so that the rounding of a
/// processor's kernels does not show.
std::vector<double> train_ten_steps(const std::string& method, const std::string& kernels) {
  const Settings config = configured({"model=resnet14", "modules=4", "batch_size=16",
                                      "procedural.train_size=16", "engine.kernels=" + kernels});
  const DataSource data = make_data(config);
  const Backbone backbone = make_backbone(config, data);
  const Plan plan = make_plan(config, backbone, method);
  backbone.to(torch::kFloat64);
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(torch::kFloat64);
  }
  Engine engine(backbone, plan, make_engine_options(config));
  engine.set_learning_rate(0.01);
  const auto loader = make_train_loader(config, data, all_indices(*data.train));
  std::vector<double> curve;
  for (int step = 0; step < 10; ++step) {
    loader->start(step);
    const Batch batch = *loader->next();
    const StepResult result = engine.step(batch.images, batch.labels);
    double sum = 0;
    for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
      const double loss = result.losses[static_cast<std::int64_t>(s)].item<double>();
      if (!std::isnan(loss)) sum += plan.supervisions[s].weight * loss;
    }
    curve.push_back(sum);
  }
  return curve;
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, LossesOfTenSteps) {
  const auto path = test_folder() / "golden" / (GetParam() + ".txt");
  const std::vector<double> curve = train_ten_steps(GetParam(), "own");
  if (std::getenv("MLAAN_WRITE_GOLDEN") != nullptr) {
    std::ostringstream text;
    for (const double loss : curve) text << std::setprecision(10) << loss << "\n";
    std::ofstream(path) << text.str();
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing: every method has its curve";
  std::vector<double> expected(curve.size());
  for (double& loss : expected) ASSERT_TRUE(file >> loss);
  for (std::size_t step = 0; step < curve.size(); ++step) {
    EXPECT_NEAR(curve[step], expected[step], 1e-4 * expected[step]) << "step " << step + 1;
  }
  EXPECT_LT(curve.back(), curve.front());
  const std::vector<double> by_reference = train_ten_steps(GetParam(), "reference");
  for (std::size_t step = 0; step < curve.size(); ++step) {
    EXPECT_NEAR(by_reference[step], curve[step], 1e-7 * curve[step])
        << "step " << step + 1 << " by LibTorch's operators";
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Golden, ::testing::ValuesIn(method_registry().names()),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

}  // namespace
}  // namespace mlaan::testing
