// A training step computed by a published code, to compare the engine with.
#pragma once

#include <mlaan/io/safetensors.h>
#include <mlaan/local/engine.h>

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

namespace mlaan::testing {

/// How near a run has to come, as the README of the reference files says.
struct Tolerance {
  double loss;      ///< of losses and logits, absolute
  double gradient;  ///< of the tensor's largest entry
  /// Share of the gradients that must come so near. In float32 an activation that rounds to the
  /// other side of zero turns its ReLU's gradient on or off, and some tensors show it: plain
  /// PyTorch's float32 step differs by 4.5e-3 in layer3.4.conv2.weight of the DGL file.
  double share;
  double norm;  ///< of all gradients: norm of the difference, of the tensor's norm
  /// Of the largest entry of all gradients: less is rounding. A bias ahead of batch normalisation
  /// has a gradient of 0 and nothing but that.
  double rounding;
};

/// One of the files, or nothing where the folder is not there.
std::optional<TensorFile> find_reference(const std::string& name);

/// Sets the backbone and the plan's nets to the file's weights, runs one step, and expects the
/// file's logits, losses, gradients and running statistics; in float64 once more by the reference
/// kernels. \param name_of the file's name of a
/// net's parameter, without "weight." or "grad.". \param loss_of the file's name of a supervision's
/// loss, without "expect.". \param float32_share Tolerance::share of the run in float32.
/// \param layout of maps: LibTorch's batch normalisation sums in float32 in channels last, in
/// float64 in contiguous, so that float32 is nearer there.
void expect_reference_step(const TensorFile& file, const Backbone& backbone, const Plan& plan,
                           const std::function<std::string(const std::string&)>& name_of,
                           const std::function<std::string(const Supervision&)>& loss_of,
                           torch::Dtype dtype, double float32_share = 0.75,
                           torch::MemoryFormat layout = torch::MemoryFormat::ChannelsLast);

/// Sets parameters to the file's weights.
void set_reference_weights(const TensorFile& file, const std::vector<NamedTensor>& parameters,
                           const std::function<std::string(const std::string&)>& file_name);

/// The file's backbone, with the normalisation of its pictures.
Backbone reference_backbone();

/// Number of tensors whose names begin so.
std::size_t count_of(const TensorFile& file, const std::string& prefix);

/// The file without the weights and gradients whose names go on so.
TensorFile without_tensors(TensorFile file, const std::string& prefix);

/// The file's names of parameters and losses for a convolutional head and a decoder:
/// "aux.3.local.classifier.fc2.bias" → "aux.3.classifier.head.7.bias", by position in the code's
/// lists of layers.
std::string head_and_decoder_name(const std::string& name);
std::string head_and_decoder_loss(const Supervision& supervision);

/// The file's name of a supervision's loss: "loss.3." and the name, but for the output's.
std::string loss_of(const Supervision& supervision, const std::string& name);

/// The same where every module has one head: "loss.3.classifier".
std::string classifier_loss(const Supervision& supervision);

/// The types that each file is checked in.
inline auto both_types() {
  return ::testing::Values(torch::kFloat64, torch::kFloat32);
}
inline std::string type_name(const ::testing::TestParamInfo<torch::Dtype>& type) {
  return type.param == torch::kFloat64 ? "float64" : "float32";
}

/// Replaces the first `from` in `text` by `to`; as it is where there is none.
std::string replaced(std::string text, const std::string& from, const std::string& to);

}  // namespace mlaan::testing

/// Skips the test, and says so, where the reference files are not there.
#define MLAAN_REFERENCE_OR_SKIP(file, name)                 \
  const auto file = ::mlaan::testing::find_reference(name); \
  if (!file) GTEST_SKIP() << "the reference file " << (name) << " is not there"
