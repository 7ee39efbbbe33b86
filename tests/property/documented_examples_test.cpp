// The worked examples of docs/ARCHITECTURE.md, compiled from the document itself.
#include "core/term_words.h"
#include "nn/layer_kinds/layer_builder.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/loss_kind.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan {

namespace losses {
LossKind squared_error();
}
namespace layers {
LayerKind sigmoid();
}
namespace methods {
MethodEntry pairs_entry();
}

namespace testing {
namespace {

TEST(DocumentedExamples, TheLossIsTheSquaredDifference) {
  const Normalisation none{};
  const LossPtr loss = losses::squared_error().make({{}, 2, none});
  Targets targets;
  targets.labels = torch::tensor({0, 1});
  const auto output = torch::tensor({{1.0, 0.0}, {1.0, 0.0}});
  EXPECT_DOUBLE_EQ(loss->function(output, targets).item<double>(), 0.5);
}

TEST(DocumentedExamples, TheLayerIsASigmoid) {
  const Backbone backbone = test_backbone("resnet8", 0);
  LayerBuilder net({16, 32, 32}, backbone, /*several_linears=*/false, /*makes=*/true);
  TermWords words("sigmoid", "layer");
  layers::sigmoid().add(words, net);
  EXPECT_EQ(net.features(), (Shape{16, 32, 32}));
  const auto output = net.take().units.at(0).forward(torch::zeros({1, 16, 32, 32}));
  EXPECT_TRUE(torch::equal(output, torch::full({1, 16, 32, 32}, 0.5)));
}

TEST(DocumentedExamples, TheMethodTrains) {
  const Backbone backbone = test_backbone("resnet14", 0);
  const Partition partition = default_partition(backbone, 5);
  const Plan plan = methods::pairs_entry().plan(backbone, partition, OptionSet(), 1);
  std::vector<std::pair<std::size_t, std::size_t>> windows;
  for (const auto& one : plan.supervisions) windows.emplace_back(one.first, one.last);
  EXPECT_EQ(windows, (std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {2, 3}, {4, 4}}));
  torch::manual_seed(0);
  const auto images = torch::randn({8, 3, 32, 32});
  const auto labels = torch::randint(10, {8}, torch::kInt64);
  Engine engine(backbone, plan);
  engine.set_learning_rate(0.05);
  const auto first = engine.step(images, labels).losses;
  torch::Tensor last;
  for (int step = 0; step < 5; ++step) last = engine.step(images, labels).losses;
  EXPECT_TRUE((last < first).all().item<bool>()) << first << last;
}

}  // namespace
}  // namespace testing
}  // namespace mlaan
