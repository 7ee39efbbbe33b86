// Moments in eight bits: their codes, their bytes, and the steps that optimizers take with them.
#include "local/eight_bit_optimizer.h"

#include "core/libtorch_compat.h"
#include "support/closeness.h"
#include "support/errors.h"
#include "support/test_backbone.h"

#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/optimizer.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/published.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mlaan::testing {
namespace {

TEST(EightBit, TheTableHasSevenDecadesAndEveryCodeStandsForOneOfThem) {
  const auto& either = eight_bit_table(Sign::either);
  const auto& not_negative = eight_bit_table(Sign::not_negative);
  ASSERT_EQ(either.size(), 256U);
  ASSERT_EQ(not_negative.size(), 256U);
  EXPECT_EQ(either[127], 0);
  EXPECT_FLOAT_EQ(either[128], 5.5e-7F) << "the middle of 1e-7 and 1e-6";
  EXPECT_FLOAT_EQ(either[0], -0.99296875F) << "the middle of the last of 64 parts of 0.1 to 1";
  EXPECT_EQ(either[255], 1);
  EXPECT_EQ(not_negative[0], 0);
  EXPECT_FLOAT_EQ(not_negative[1], 3.25e-7F);
  EXPECT_EQ(not_negative[255], 1);
}

TEST(EightBit, CodesAreThoseOfTheNearestEntries) {
  torch::manual_seed(3);
  const double none = std::numeric_limits<double>::quiet_NaN();
  for (const auto sign : {Sign::either, Sign::not_negative}) {
    const auto& table = eight_bit_table(sign);
    std::vector<float> shares{0, 1, -0.0F, 1e-30F, 0.5F, 3e-7F, 1.5e-7F, 5.4e-7F};
    shares.insert(shares.end(), table.begin(), table.end());
    for (std::size_t i = 0; i + 1 < table.size(); ++i) {
      // Half-way between neighbours, and right beside.
      const float half_way = (table[i] + table[i + 1]) / 2;
      for (const float share :
           {half_way, std::nextafter(half_way, -2.0F), std::nextafter(half_way, 2.0F)}) {
        shares.push_back(share);
      }
    }
    const auto random = torch::rand({20000}) * torch::pow(10, -8 * torch::rand({20000}));
    torch::Tensor all = torch::cat({torch::tensor(shares), random});
    if (sign == Sign::either) all = torch::cat({all, -all});
    if (sign == Sign::not_negative) all = all.abs();
    const auto codes = nearest_codes(all, sign);
    EXPECT_TRUE(torch::equal(codes, nearest_codes_by_operators(all, sign)));
    const auto entries = entries_at(codes, sign);
    expect_same(entries, entries_by_operators(codes, sign), "entries");
    const auto distances =
        (all.unsqueeze(1) - torch::tensor(table).unsqueeze(0)).abs().amin(1).to(torch::kFloat64);
    const auto found = (all - entries).abs().to(torch::kFloat64);
    const auto is_raised =
        sign == Sign::not_negative ? codes == 1 : torch::zeros_like(codes, torch::kBool);
    EXPECT_TRUE(((found - distances) <= 1e-6 * all.abs()).logical_or(is_raised).all().item<bool>());
    EXPECT_EQ((entries == 0).logical_and(all > 0).any().item<bool>(), sign == Sign::either);
    nearest_codes(torch::tensor({none, -none}, torch::kFloat32), sign);  // ends
  }
}

TEST(EightBit, ValuesAreRoundedToTheNearestShareOfTheirRowsLargest) {
  // Two rows in channels last, one of which is all 0.
  torch::Tensor values = torch::zeros({3, 4, 2, 2}).contiguous(torch::MemoryFormat::ChannelsLast);
  torch::manual_seed(2);
  values[0] = torch::randn({4, 2, 2});
  values[2] = 1e-3 * torch::randn({4, 2, 2}).abs();
  const auto stored = eight_bit_zeros(values);
  EXPECT_TRUE(stored.codes.is_contiguous(torch::MemoryFormat::ChannelsLast));
  expect_same(read_rows(stored, 0, 3, Sign::either), torch::zeros({3, 4, 2, 2}), "at first");
  write_rows(values.narrow(0, 0, 2), stored, 0, Sign::either);
  write_rows(values.narrow(0, 2, 1), stored, 2, Sign::either);
  expect_same(stored.scales, values.abs().flatten(1).amax(1), "scales");
  const auto read = read_rows(stored, 0, 3, Sign::either);
  expect_same(read[1], torch::zeros({4, 2, 2}), "a row of zeros");
  // The highest decade is cut into 64 parts for each sign, so an error is at most half of 0.9/64.
  for (const int row : {0, 2}) {
    EXPECT_LE(relative_difference(read[row], values[row]), 0.9 / 128 + 1e-6) << row;
  }
  const auto contiguous = eight_bit_zeros(values.contiguous());
  write_rows(values.contiguous(), contiguous, 0, Sign::either);
  EXPECT_TRUE(torch::equal(contiguous.codes, stored.codes)) << "in any memory format";
}

TEST(EightBit, SmallSharesKeepTheirDigits) {
  std::vector<float> row{1};
  for (double value = 1; value > 1e-6; value /= 3) row.push_back(static_cast<float>(value));
  const auto count = static_cast<std::int64_t>(row.size());
  const auto values = torch::tensor(row).view({1, count});
  const auto stored = eight_bit_zeros(values);
  write_rows(values, stored, 0, Sign::not_negative);
  const auto read = read_rows(stored, 0, 1, Sign::not_negative);
  // Half of a part, of which the lowest decade has 2 and each above it twice as many.
  for (std::int64_t i = 0; i < count; ++i) {
    const auto value = values[0][i].item<double>();
    const double decade = std::ceil(std::log10(value) - 1e-9);
    const double parts = std::pow(2, 7 + decade);
    EXPECT_NEAR(read[0][i].item<double>(), value, 0.45 * std::pow(10, decade) / parts * 1.001)
        << value;
  }
  const auto tiny = torch::tensor({1.0F, 1e-20F, 0.0F}).view({1, 3});
  const auto small = eight_bit_zeros(tiny);
  write_rows(tiny, small, 0, Sign::not_negative);
  const auto found = read_rows(small, 0, 1, Sign::not_negative);
  EXPECT_EQ(found[0][0].item<float>(), 1);
  EXPECT_GT(found[0][1].item<float>(), 0) << "a root that is not 0 stays so";
  EXPECT_EQ(found[0][2].item<float>(), 0);
}

TEST(EightBit, IsForWeightsWhoseBytesCount) {
  EXPECT_TRUE(is_worth_eight_bits(torch::empty({64, 64, 1, 1})));
  EXPECT_TRUE(is_worth_eight_bits(torch::empty({1, 8, 512})));
  EXPECT_FALSE(is_worth_eight_bits(torch::empty({63, 64}))) << "small";
  EXPECT_FALSE(is_worth_eight_bits(torch::empty({5000}))) << "a vector";
  EXPECT_FALSE(is_worth_eight_bits(torch::empty({2000, 8}))) << "short rows";
  EXPECT_FALSE(is_worth_eight_bits(torch::empty({64, 64}, torch::kFloat64)));
}

/// Optimizers in eight bits beside the same ones in float32.
struct EightBitCase {
  std::string name;
  std::function<OptimizerFactory(MomentFormat)> factory;
  std::int64_t moments = 1;
};

std::vector<EightBitCase> eight_bit_cases() {
  const auto moments = [](MomentFormat format) {
    return AdamOptions{0.01, 0.9, 0.99, 1e-8, 0.1, true, format};
  };
  return {{"sgd",
           [](MomentFormat format) {
             return sgd({0.05, 0.9, 0.1, true, true, format});
           }},
          {"sgd without Nesterov's",
           [](MomentFormat format) {
             return sgd({0.05, 0.9, 0.1, false, true, format});
           }},
          {"adam", [=](MomentFormat format) { return adam(moments(format)); }, 2},
          {"adamw", [=](MomentFormat format) { return adamw(moments(format)); }, 2}};
}

/// A large weight in channels last, a small one, and one of several blocks of rows.
std::vector<torch::Tensor> large_and_small() {
  torch::manual_seed(11);
  std::vector<torch::Tensor> parameters{
      torch::randn({32, 16, 3, 3}).contiguous(torch::MemoryFormat::ChannelsLast),
      torch::randn({32}), torch::randn({300, 700})};
  for (auto& parameter : parameters) parameter.requires_grad_(true);
  return parameters;
}

void set_gradients(const std::vector<torch::Tensor>& parameters, std::uint64_t step) {
  torch::manual_seed(100 + step);
  for (const auto& parameter : parameters) {
    // Partly the same in each step, as gradients are.
    parameter.mutable_grad() = torch::randn_like(parameter) + parameter.detach();
  }
}

TEST(EightBit, OptimizersStepNearlyAsInFloat32) {
  for (const auto& some : eight_bit_cases()) {
    const auto parameters = large_and_small();
    const auto expected = large_and_small();
    const auto optimizer = some.factory(MomentFormat::eight_bit)(parameters);
    const auto plain = some.factory(MomentFormat::float32)(expected);
    for (std::uint64_t step = 0; step < 10; ++step) {
      set_gradients(parameters, step);
      set_gradients(expected, step);
      optimizer->step();
      plain->step();
      expect_same(parameters[1].detach(), expected[1].detach(), some.name + ", a small one");
      for (const std::size_t i : {0, 2}) {
        const auto start = large_and_small()[i].detach();
        // The first step knows nothing that was rounded.
        EXPECT_LE(relative_norm(parameters[i].detach() - start, expected[i].detach() - start),
                  step == 0 ? 1e-5 : 0.05)
            << some.name << ", step " << step << ", parameter " << i;
      }
    }
  }
}

TEST(EightBit, TakesTheBytesThatItSays) {
  for (const auto& some : eight_bit_cases()) {
    const auto parameters = large_and_small();
    const auto optimizer = some.factory(MomentFormat::eight_bit)(parameters);
    const auto kept = [] {
      return measure::read_memory(torch::kCPU)
          .live_by_kind[static_cast<std::size_t>(measure::MemoryKind::optimizer_state)];
    };
    const auto before = kept();
    std::int64_t highest = 0;
    for (std::uint64_t step = 0; step < 3; ++step) {
      set_gradients(parameters, step);
      const auto live = measure::read_memory(torch::kCPU).live;
      measure::reset_peak(torch::kCPU);
      const measure::MemoryKindScope kind(measure::MemoryKind::optimizer_state);
      optimizer->step();
      if (step > 0) highest = measure::read_memory(torch::kCPU).peak - live;
    }
    // A byte an element and four a row; of the small one four an element.
    const std::int64_t bytes = (32 * 16 * 9 + 4 * 32) + 4 * 32 + (300 * 700 + 4 * 300);
    EXPECT_EQ(kept() - before, some.moments * bytes) << some.name;
    // Of 65536 elements at a time, whatever the weight's size.
    EXPECT_LE(highest, 10 * 65536 * 4) << some.name;
  }
}

TEST(EightBit, GoesOnFromItsStateBitForBit) {
  for (const auto& some : eight_bit_cases()) {
    const auto part_of = [&] {
      TrainedPart part{"part", {}, nullptr};
      const auto parameters = large_and_small();
      for (const auto& parameter : parameters) {
        part.parameters.push_back({"p" + std::to_string(part.parameters.size()), parameter});
      }
      part.optimizer = some.factory(MomentFormat::eight_bit)(parameters);
      std::vector<TrainedPart> parts;
      parts.push_back(std::move(part));
      return parts;
    };
    const auto tensors = [](const std::vector<TrainedPart>& parts) {
      std::vector<torch::Tensor> found;
      for (const auto& named : parts[0].parameters) found.push_back(named.tensor);
      return found;
    };
    const auto whole = part_of();
    const auto resumed = part_of();
    for (std::uint64_t step = 0; step < 2; ++step) {
      set_gradients(tensors(whole), step);
      whole[0].optimizer->step();
    }
    std::vector<NamedTensor> state;
    for (const auto& named : optimizer_state(whole)) {
      // As files hold them.
      state.push_back({named.name, named.tensor.contiguous().clone()});
    }
    {
      const torch::NoGradGuard no_grad;
      for (std::size_t i = 0; i < 3; ++i) tensors(resumed)[i].copy_(tensors(whole)[i]);
    }
    set_optimizer_state(resumed, state);
    for (const auto& parts : {&whole, &resumed}) {
      set_gradients(tensors(*parts), 2);
      (*parts)[0].optimizer->step();
    }
    for (std::size_t i = 0; i < 3; ++i) {
      expect_same(tensors(resumed)[i].detach(), tensors(whole)[i].detach(), some.name);
    }
    const auto replaced = [&](const std::string& end, const torch::Tensor& tensor) {
      auto wrong = state;
      for (auto& named : wrong) {
        const bool ends = named.name.size() > end.size() &&
                          named.name.substr(named.name.size() - end.size()) == end;
        if (ends) named.tensor = tensor;
      }
      return wrong;
    };
    expect_user_error([&] { set_optimizer_state(resumed, replaced(".scales", torch::zeros({3}))); },
                      {"scales"});
    expect_user_error(
        [&] { set_optimizer_state(resumed, replaced(".codes", torch::zeros({3}, torch::kUInt8))); },
        {"codes", "shape"});
    // Codes of another type are none: the moments begin anew.
    set_optimizer_state(resumed, replaced(".codes", torch::Tensor()));
    set_gradients(tensors(resumed), 3);
    EXPECT_NO_THROW(resumed[0].optimizer->step());
  }
}

TEST(EightBit, AnEnginesStateIsCountedAsWhatACheckpointHolds) {
  const auto kept = [] {
    return measure::read_memory(torch::kCPU)
        .live_by_kind[static_cast<std::size_t>(measure::MemoryKind::optimizer_state)];
  };
  std::vector<std::int64_t> bytes;
  for (const auto format : {MomentFormat::float32, MomentFormat::eight_bit}) {
    const Backbone backbone = test_backbone("resnet14", 1);
    EngineOptions options;
    options.optimizer = sgd({0.1, 0.9, 1e-4, true, true, format});
    Engine engine(backbone, methods::dgl(backbone, default_partition(backbone, 3)), options);
    const auto before = kept();
    engine.step(torch::randn({4, 3, 32, 32}), torch::arange(4));
    std::int64_t in_checkpoint = 0;
    for (const auto& named : optimizer_state(engine.parts())) {
      const bool is_counter = named.name.find(".step") != std::string::npos;
      if (!is_counter) in_checkpoint += static_cast<std::int64_t>(named.tensor.nbytes());
    }
    bytes.push_back(kept() - before);
    EXPECT_EQ(bytes.back(), in_checkpoint);
  }
  EXPECT_LT(5 * bytes[1], 2 * bytes[0]);
}

}  // namespace
}  // namespace mlaan::testing
