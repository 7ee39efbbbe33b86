// A training step computed by a published code, to compare the engine with.
#include "reference/reference_step.h"

#include "support/closeness.h"
#include "support/folders.h"

#include <mlaan/nn/backbones.h>

#include <torch/torch.h>

#include <algorithm>
#include <filesystem>
#include <utility>

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

/// The file's name of a parameter.
std::string file_name(const std::string& name,
                      const std::function<std::string(const std::string&)>& name_of) {
  return name.compare(0, 4, "aux.") == 0 ? name_of(name) : "backbone." + name;
}

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

void set_reference_weights(const TensorFile& file, const std::vector<NamedTensor>& parameters,
                           const std::function<std::string(const std::string&)>& name_of) {
  const torch::NoGradGuard no_grad;
  for (const auto& named : parameters) {
    const torch::Tensor weight = file.find("weight." + file_name(named.name, name_of));
    ASSERT_TRUE(weight.defined()) << named.name;
    ASSERT_EQ(weight.sizes(), named.tensor.sizes()) << named.name;
    torch::Tensor target = named.tensor;
    target.copy_(weight);
  }
}

std::size_t count_of(const TensorFile& file, const std::string& prefix) {
  return static_cast<std::size_t>(
      std::count_if(file.tensors.begin(), file.tensors.end(),
                    [&](const NamedTensor& named) { return starts_with(named.name, prefix); }));
}

Backbone reference_backbone() {
  Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  Normalisation normalisation;
  for (const auto& [channels, values] :
       {std::pair{&normalisation.mean, std::vector<float>{125.3F, 123.0F, 113.9F}},
        std::pair{&normalisation.deviation, std::vector<float>{63.0F, 62.1F, 66.7F}}}) {
    for (const float value : values) channels->push_back(value / 255);
  }
  backbone.set_normalisation(normalisation);
  return backbone;
}

TensorFile without_tensors(TensorFile file, const std::string& prefix) {
  const auto is_left_out = [&](const NamedTensor& named) {
    return starts_with(named.name, "weight." + prefix) || starts_with(named.name, "grad." + prefix);
  };
  auto& tensors = file.tensors;
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(), is_left_out), tensors.end());
  return file;
}

std::string head_and_decoder_name(const std::string& name) {
  const bool of_head = name.find(".classifier.") != std::string::npos;
  const bool of_decoder = name.find(".reconstruction.") != std::string::npos;
  if (!of_head && !of_decoder) return name;
  std::string result = replaced(name, "local.classifier.", "classifier.head.");
  result = replaced(result, "local.reconstruction.", "decoder.decoder.");
  result = replaced(result, "conv1.", "0.");
  result = replaced(result, "bn1.", "1.");
  if (of_decoder) return replaced(result, "filter1.", "3.");
  result = replaced(result, "fc1.", "5.");
  return replaced(result, "fc2.", "7.");
}

std::string loss_of(const Supervision& supervision, const std::string& name) {
  if (supervision.name == "output") return "train.head_loss";
  return "loss." + std::to_string(supervision.last + 1) + "." + name;
}

std::string head_and_decoder_loss(const Supervision& supervision) {
  return loss_of(supervision, replaced(supervision.name, "local.", ""));
}

std::string classifier_loss(const Supervision& supervision) {
  return loss_of(supervision, "classifier");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

std::optional<TensorFile> find_reference(const std::string& name) {
  const std::filesystem::path path = shared_folder() / "reference" / (name + ".safetensors");
  if (!std::filesystem::exists(path)) return std::nullopt;
  return read_safetensors(path);
}

namespace {

/// The functions that find names in a file.
struct ReferenceNames {
  std::function<std::string(const std::string&)> parameter;
  std::function<std::string(const Supervision&)> loss;
};

void expect_step(const TensorFile& file, const Backbone& backbone, const Plan& plan,
                 const ReferenceNames& names, const EngineOptions& options,
                 const Tolerance& tolerance, torch::Dtype dtype) {
  Engine engine(backbone, plan, options);
  set_reference_weights(file, engine.named_parameters(), names.parameter);
  EXPECT_EQ(engine.named_parameters().size(), count_of(file, "weight."))
      << "the file has weights that the plan has not, or the plan more than the file";

  const torch::Tensor images = network_input(file, dtype);
  const torch::Tensor labels = file.find("input.label");
  const torch::Tensor logits_before = engine.predict(images);
  const torch::Tensor expected_before = file.find("expect.eval.logits");
  EXPECT_LE((logits_before - expected_before).abs().max().item<double>(),
            tolerance.loss * std::max(1.0, expected_before.abs().max().item<double>()));
  const double loss_before =
      torch::nn::functional::cross_entropy(logits_before, labels).item<double>();
  EXPECT_NEAR(loss_before, file.find("expect.eval.loss").item<double>(), tolerance.loss);

  const StepResult result = engine.accumulate(images, labels);
  EXPECT_LE((result.logits - file.find("expect.train.logits")).abs().max().item<double>(),
            tolerance.loss);
  for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
    const std::string name = names.loss(plan.supervisions[s]);
    const torch::Tensor expected = file.find("expect." + name);
    ASSERT_TRUE(expected.defined()) << name;
    EXPECT_NEAR(result.losses[static_cast<std::int64_t>(s)].item<double>(), expected.item<double>(),
                tolerance.loss)
        << name;
  }

  double largest = 0;
  for (const auto& named : file.tensors) {
    if (!starts_with(named.name, "grad.")) continue;
    largest = std::max(largest, named.tensor.abs().max().item<double>());
  }
  std::size_t compared = 0;
  std::size_t near = 0;
  for (const auto& named : engine.named_parameters()) {
    const torch::Tensor expected = file.find("grad." + file_name(named.name, names.parameter));
    EXPECT_EQ(expected.defined(), named.tensor.requires_grad()) << named.name;
    if (!expected.defined()) continue;
    ASSERT_TRUE(named.tensor.grad().defined()) << named.name;
    ++compared;
    const double difference = (named.tensor.grad() - expected).abs().max().item<double>();
    if (difference <= tolerance.rounding * largest) {
      ++near;
      continue;
    }
    EXPECT_LE(relative_norm(named.tensor.grad(), expected), tolerance.norm) << named.name;
    if (relative_difference(named.tensor.grad(), expected) <= tolerance.gradient) ++near;
  }
  EXPECT_GE(static_cast<double>(near), tolerance.share * static_cast<double>(compared));
  EXPECT_EQ(compared, count_of(file, "grad."));

  for (const auto& named : backbone.named_buffers()) {
    const torch::Tensor expected = file.find("after.backbone." + named.name);
    if (expected.defined()) expect_close(named.tensor, expected, 1e-5, named.name);
  }
}

/// Has backbone and nets forget a step that they were accumulated by.
class StepUndone {
 public:
  StepUndone(const Backbone& backbone, const Plan& plan)
      : parameters_(named_parameters(backbone, plan)), buffers_(named_buffers(backbone, plan)) {
    for (const auto& named : buffers_) before_.push_back(named.tensor.clone());
  }
  void undo() const {
    const torch::NoGradGuard no_grad;
    for (const auto& named : parameters_) named.tensor.mutable_grad() = torch::Tensor();
    for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].tensor.copy_(before_[i]);
  }

 private:
  std::vector<NamedTensor> parameters_;
  std::vector<NamedTensor> buffers_;
  std::vector<torch::Tensor> before_;
};

}  // namespace

void expect_reference_step(const TensorFile& file, const Backbone& backbone, const Plan& plan,
                           const std::function<std::string(const std::string&)>& name_of,
                           const std::function<std::string(const Supervision&)>& loss_of,
                           torch::Dtype dtype, double float32_share, torch::MemoryFormat layout) {
  const Tolerance tolerance = dtype == torch::kFloat64
                                  ? Tolerance{1e-6, 1e-5, 1, 1e-5, 1e-12}
                                  : Tolerance{1e-4, 2e-3, float32_share, 3e-2, 1e-5};
  backbone.to(dtype);
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(dtype);
  }
  EngineOptions options;
  options.memory_format = layout;
  const ReferenceNames names{name_of, loss_of};
  const StepUndone step(backbone, plan);
  expect_step(file, backbone, plan, names, options, tolerance, dtype);
  if (dtype != torch::kFloat64) return;  // where kernels differ by rounding alone
  step.undo();
  options.reference_kernels = true;
  expect_step(file, backbone, plan, names, options, tolerance, dtype);
}

}  // namespace mlaan::testing
