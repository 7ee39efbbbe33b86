// Losses against slow and obvious calculations in float64.
#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/nn/loss.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

const auto float64 = torch::kFloat64;

TEST(Loss, SupervisedContrastiveIsTheSumOverPairs) {
  torch::manual_seed(1);
  const auto features = torch::randn({7, 5}, float64).requires_grad_(true);
  // The last sample's label is nobody else's.
  const auto labels = torch::tensor({0, 1, 0, 1, 2, 2, 3});
  const double temperature = 0.3;
  const auto unit = features / features.pow(2).sum(1, true).sqrt();
  torch::Tensor sum = torch::zeros({}, float64);
  for (int i = 0; i < 7; ++i) {
    torch::Tensor denominator = torch::zeros({}, float64);
    for (int a = 0; a < 7; ++a) {
      if (a != i) denominator = denominator + ((unit[i] * unit[a]).sum() / temperature).exp();
    }
    torch::Tensor own = torch::zeros({}, float64);
    int positives = 0;
    for (int p = 0; p < 7; ++p) {
      if (p == i || labels[p].item<int>() != labels[i].item<int>()) continue;
      own = own + (unit[i] * unit[p]).sum() / temperature - denominator.log();
      ++positives;
    }
    if (positives > 0) sum = sum - own / positives;
  }
  const auto expected = sum / 7;
  const auto expected_gradient = torch::autograd::grad({expected}, {features})[0];
  const auto loss = supervised_contrastive(temperature)->function(features, {labels, {}});
  expect_close(loss, expected, 1e-12, "loss");
  expect_close(torch::autograd::grad({loss}, {features})[0], expected_gradient, 1e-10, "gradient");
}

TEST(Loss, SimilarityMatchingComparesMatricesOfCosines) {
  torch::manual_seed(2);
  const auto maps = torch::randn({6, 5, 4, 3}, float64);
  const auto labels = torch::tensor({0, 1, 2, 0, 1, 1});
  const auto cosines = [](const std::vector<std::vector<double>>& rows) {
    std::vector<std::vector<double>> result(rows.size(), std::vector<double>(rows.size()));
    std::vector<std::vector<double>> centred = rows;
    for (auto& row : centred) {
      double mean = 0;
      for (const double value : row) mean += value / static_cast<double>(row.size());
      double norm = 0;
      for (double& value : row) {
        value -= mean;
        norm += value * value;
      }
      for (double& value : row) value /= std::sqrt(norm) + 1e-8;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < rows.size(); ++j) {
        for (std::size_t d = 0; d < rows[i].size(); ++d)
          result[i][j] += centred[i][d] * centred[j][d];
      }
    }
    return result;
  };
  std::vector<std::vector<double>> deviations(6, std::vector<double>(5));
  std::vector<std::vector<double>> one_hot(6, std::vector<double>(3));
  for (int i = 0; i < 6; ++i) {
    for (int c = 0; c < 5; ++c) {
      double mean = 0;
      double squares = 0;
      for (int p = 0; p < 12; ++p) mean += maps[i][c][p / 3][p % 3].item<double>() / 12;
      for (int p = 0; p < 12; ++p) {
        squares += std::pow(maps[i][c][p / 3][p % 3].item<double>() - mean, 2);
      }
      deviations[i][c] = std::sqrt(squares / 11);
    }
    one_hot[i][labels[i].item<int>()] = 1;
  }
  const auto left = cosines(deviations);
  const auto right = cosines(one_hot);
  double expected = 0;
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) expected += std::pow(left[i][j] - right[i][j], 2) / 36;
  }
  const auto loss = similarity_matching(3)->function(maps, {labels, {}});
  EXPECT_NEAR(loss.item<double>(), expected, 1e-6) << "clamped at 1, where rounding passes it";
}

TEST(Loss, SimilarityOfFlatFeaturesAndOfFewChannelsIsOfTheNumbersThemselves) {
  torch::manual_seed(3);
  const auto maps = torch::randn({4, 3, 2, 2}, float64);
  expect_close(similarity_matrix(maps), similarity_matrix(maps.flatten(1)), 1e-12, "3 channels");
  const auto itself = similarity_matrix(torch::randn({4, 9}, float64)).diagonal();
  expect_close(itself, torch::ones({4}, float64), 1e-7, "a sample and itself");
}

TEST(Loss, ReconstructionUndoesTheNormalisation) {
  torch::manual_seed(4);
  const Normalisation normalisation{{0.5, 0.4, 0.3}, {0.2, 0.25, 0.3}};
  const auto pixels = torch::rand({2, 3, 4, 4}, float64);
  auto images = pixels.clone();
  for (int c = 0; c < 3; ++c) {
    images.select(1, c).sub_(normalisation.mean[c]).div_(normalisation.deviation[c]);
  }
  const auto output = torch::randn({2, 3, 4, 4}, float64);
  const auto share = output.sigmoid();
  const auto expected = -(pixels * share.log() + (1 - pixels) * (1 - share).log()).mean();
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    expect_close(reconstruction(normalisation)->function(output, {{}, images.contiguous(format)}),
                 expected, 1e-12, "reconstruction");
  }
  expect_user_error([] { reconstruction({}); }, {"reconstruction", "normalised"});
}

TEST(Loss, OfProbabilitiesIsTheWeightedSumOfThoseOfClasses) {
  torch::manual_seed(5);
  const auto logits = torch::randn({6, 4}, float64);
  const auto one = torch::tensor({0, 1, 2, 3, 0, 1});
  const auto other = torch::tensor({1, 1, 3, 0, 2, 2});
  const double share = 0.3;
  const auto probabilities =
      (share * torch::one_hot(one, 4) + (1 - share) * torch::one_hot(other, 4)).to(torch::kFloat32);
  for (const double smoothing : {0.0, 0.2}) {
    const auto loss = cross_entropy(smoothing);
    const auto expected = share * loss->function(logits, {one, {}}) +
                          (1 - share) * loss->function(logits, {other, {}});
    expect_close(loss->function(logits, {probabilities, {}}), expected, 1e-6, "cross-entropy");
  }
}

TEST(Loss, OfProbabilitiesThatAreCertainIsThatOfClasses) {
  torch::manual_seed(6);
  const auto output = torch::randn({6, 4}, float64);
  const auto labels = torch::tensor({0, 1, 2, 3, 0, 1});
  const auto one_hot = torch::one_hot(labels, 4).to(torch::kFloat32);
  for (const auto& loss : {cross_entropy(), cross_entropy(0.1), similarity_matching(4)}) {
    EXPECT_FALSE(loss->needs_classes);
    expect_close(loss->function(output, {one_hot, {}}), loss->function(output, {labels, {}}), 1e-12,
                 loss->name);
  }
  EXPECT_TRUE(supervised_contrastive()->needs_classes);
  EXPECT_TRUE(torch::equal(classes_of(one_hot), labels));
  EXPECT_TRUE(torch::equal(classes_of(labels), labels));
}

TEST(Loss, LabelSmoothingSpreadsAShareOverAllClasses) {
  torch::manual_seed(7);
  const auto logits = torch::randn({6, 4}, float64);
  const auto labels = torch::tensor({0, 1, 2, 3, 0, 1});
  const auto target = 0.9 * torch::one_hot(labels, 4).to(float64) + 0.1 / 4;
  const auto expected = -(target * logits.log_softmax(1)).sum(1).mean();
  const auto smoothed = with_label_smoothing(cross_entropy(), 0.1);
  expect_close(smoothed->function(logits, {labels, {}}), expected, 1e-12, "smoothed");
  expect_close(smoothed->function(logits, {labels, {}}),
               torch::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, 0.1), 1e-12,
               "LibTorch's");
  EXPECT_EQ(smoothed->name, "cross_entropy 0.1");
  for (const auto& loss : {cross_entropy(0.3), similarity_matching(4), supervised_contrastive()}) {
    EXPECT_EQ(with_label_smoothing(loss, 0.1), loss) << loss->name;
  }
}

TEST(Loss, LabelsThatAreNoneAreRefused) {
  check_labels(torch::tensor({0, 3}), 2, 4, "the batch");
  check_labels(torch::rand({2, 4}), 2, 4, "the batch");
  const auto refuse = [](const torch::Tensor& labels, const std::string& part) {
    expect_user_error([&] { check_labels(labels, 2, 4, "the batch"); }, {"the batch", part});
  };
  refuse(torch::tensor({0, 4}), "class 4");
  refuse(torch::tensor({-1, 3}), "class -1");
  refuse(torch::tensor({0, 1, 2}), "[3]");
  refuse(torch::rand({2, 5}), "[2, 5]");
  refuse(torch::tensor({0, 1}, torch::kInt32), "Int");
}

TEST(Loss, IsReadBackFromItsName) {
  const Normalisation plain{{0, 0, 0}, {1, 1, 1}};
  for (const auto& loss :
       {cross_entropy(), cross_entropy(0.1), supervised_contrastive(), supervised_contrastive(0.5),
        similarity_matching(10), reconstruction(plain)}) {
    EXPECT_EQ(parse_loss(loss->name, 10, plain)->name, loss->name);
  }
  expect_user_error([] { parse_loss("cross_entrpy", 10, {}); }, {"cross_entrpy", "cross_entropy"});
  expect_user_error([] { parse_loss("reconstruction 3", 10, {}); }, {"takes no number"});
  expect_user_error([] { parse_loss("cross_entropy 2", 10, {}); }, {"from 0 to 1"});
  expect_user_error([] { parse_loss("supervised_contrastive 0", 10, {}); }, {"above 0"});
  expect_user_error([] { parse_loss("cross_entropy 0.1 x", 10, {}); }, {"'x'"});
}

}  // namespace
}  // namespace mlaan::testing
