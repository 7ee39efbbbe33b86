// Networks that left mlaan: a file or a folder with what one must know beside the weights.
#pragma once

#include <mlaan/train/evaluate.h>
#include <mlaan/train/export_info.h>
#include <mlaan/train/multi_exit_network.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace mlaan {

/// What a network can be exported to.
enum class ExportFormat : std::uint8_t {
  safetensors,  ///< its tensors
  torchscript,  ///< a file for torch.jit.load()
  onnx,         ///< a model for ONNX runtimes
  folder        ///< the tensors as safetensors, what stands beside them, and a list of classes
};

/// \throws UserError for a text that is none.
ExportFormat parse_export_format(const std::string& text);

/// Writes the network, in evaluation mode, and NAME.json beside it; files have the same text
/// inside, too. What was written is read again, and must give the network's logits. \param path of
/// the file, or of the folder. \param script the file of the network's own script, where it has
/// one: that is exported with the
///        trained weights in it.
/// \throws UserError for a network that the format cannot hold; Error where what was written gives
///         other logits.
void export_network(const MultiExitNetwork& network, const ExportInfo& info, ExportFormat format,
                    const std::filesystem::path& path, const std::filesystem::path& script = "");

/// A network that was exported, ready to be asked.
struct ExportedNetwork {
  ExportInfo info;
  std::int64_t parameters = 0;
  /// Logits of each exit and of the head.
  MultiPredictor predict;
};

/// Whether this is what export_network() writes, rather than a checkpoint or a run's folder.
bool is_exported(const std::filesystem::path& path);

/// \param script the file of the network's own script, where it has one that is not in the export.
/// \throws UserError for what was not exported by mlaan, was changed since, or does not fit
/// together.
ExportedNetwork read_exported(const std::filesystem::path& path, torch::Device device,
                              const std::filesystem::path& script = "");

}  // namespace mlaan
