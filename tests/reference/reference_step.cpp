// A training step computed by a published code, to compare the engine with.
#include "reference/reference_step.h"

#include "support/closeness.h"

#include <torch/torch.h>

#include <filesystem>

namespace mlaan::testing {
namespace {

/// The network's input, as the files' README gives it: mean and deviation rounded to float32.
torch::Tensor network_input(const TensorFile& file, torch::Dtype dtype) {
  const auto mean = torch::tensor({125.3F, 123.0F, 113.9F}) / 255;
  const auto deviation = torch::tensor({63.0F, 62.1F, 66.7F}) / 255;
  const auto image = file.find("input.image").to(torch::kFloat64) / 255;
  const auto shaped = [](const torch::Tensor& channels) {
    return channels.to(torch::kFloat64).view({1, 3, 1, 1});
  };
  return ((image - shaped(mean)) / shaped(deviation)).to(dtype);
}

void set_weights(const TensorFile& file, const std::vector<NamedTensor>& parameters,
                 const std::function<std::string(const std::string&)>& file_name) {
  const torch::NoGradGuard no_grad;
  for (const auto& named : parameters) {
    const torch::Tensor weight = file.find("weight." + file_name(named.name));
    ASSERT_TRUE(weight.defined()) << file_name(named.name);
    ASSERT_EQ(weight.sizes(), named.tensor.sizes()) << named.name;
    torch::Tensor target = named.tensor;
    target.copy_(weight);
  }
}

std::size_t count_of(const TensorFile& file, const std::string& prefix) {
  return static_cast<std::size_t>(std::count_if(
      file.tensors.begin(), file.tensors.end(),
      [&](const NamedTensor& named) { return named.name.compare(0, prefix.size(), prefix) == 0; }));
}

}  // namespace

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

std::optional<TensorFile> find_reference(const std::string& name) {
  const std::filesystem::path path =
      std::filesystem::path(MLAAN_SHARED_FOLDER) / "reference" / (name + ".safetensors");
  if (!std::filesystem::exists(path)) return std::nullopt;
  return read_safetensors(path);
}

void expect_reference_step(const TensorFile& file, const Backbone& backbone, const Plan& plan,
                           const std::function<std::string(const std::string&)>& name_of,
                           const std::function<std::string(const Supervision&)>& loss_of,
                           torch::Dtype dtype) {
  const Tolerance tolerance =
      dtype == torch::kFloat64 ? Tolerance{1e-6, 1e-5, 1, 1e-5} : Tolerance{1e-4, 2e-3, 0.75, 3e-2};
  backbone.to(dtype);
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(dtype);
  }
  const auto file_name = [&](const std::string& name) {
    return name.compare(0, 4, "aux.") == 0 ? name_of(name) : "backbone." + name;
  };
  EngineOptions options;
  options.memory_format = torch::MemoryFormat::ChannelsLast;
  Engine engine(backbone, plan, options);
  set_weights(file, engine.named_parameters(), file_name);
  EXPECT_EQ(engine.named_parameters().size(), count_of(file, "weight."))
      << "the file has weights that the plan has not, or the plan more than the file";

  const torch::Tensor images = network_input(file, dtype);
  const torch::Tensor labels = file.find("input.label");
  const torch::Tensor logits_before = engine.predict(images);
  EXPECT_LE((logits_before - file.find("expect.eval.logits")).abs().max().item<double>(),
            tolerance.loss);
  const double loss_before =
      torch::nn::functional::cross_entropy(logits_before, labels).item<double>();
  EXPECT_NEAR(loss_before, file.find("expect.eval.loss").item<double>(), tolerance.loss);

  const StepResult result = engine.accumulate(images, labels);
  EXPECT_LE((result.logits - file.find("expect.train.logits")).abs().max().item<double>(),
            tolerance.loss);
  for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
    const std::string name = loss_of(plan.supervisions[s]);
    const torch::Tensor expected = file.find("expect." + name);
    ASSERT_TRUE(expected.defined()) << name;
    EXPECT_NEAR(result.losses[static_cast<std::int64_t>(s)].item<double>(), expected.item<double>(),
                tolerance.loss)
        << name;
  }

  std::size_t compared = 0;
  std::size_t near = 0;
  for (const auto& named : engine.named_parameters()) {
    const torch::Tensor expected = file.find("grad." + file_name(named.name));
    EXPECT_EQ(expected.defined(), named.tensor.requires_grad()) << named.name;
    if (!expected.defined()) continue;
    ASSERT_TRUE(named.tensor.grad().defined()) << named.name;
    EXPECT_LE(relative_norm(named.tensor.grad(), expected), tolerance.norm) << named.name;
    if (relative_difference(named.tensor.grad(), expected) <= tolerance.gradient) ++near;
    ++compared;
  }
  EXPECT_GE(static_cast<double>(near), tolerance.share * static_cast<double>(compared));
  EXPECT_EQ(compared, count_of(file, "grad."));

  for (const auto& named : backbone.named_buffers()) {
    const torch::Tensor expected = file.find("after.backbone." + named.name);
    if (expected.defined()) expect_close(named.tensor, expected, 1e-5, named.name);
  }
}

}  // namespace mlaan::testing
