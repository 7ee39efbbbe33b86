// Exported networks: files or folders that hold weights and the description of the network.
#pragma once

#include <mlaan/train/evaluate.h>
#include <mlaan/train/export_info.h>
#include <mlaan/train/multi_exit_network.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace mlaan {

/// The format of an export.
enum class ExportFormat : std::uint8_t {
  safetensors,  ///< the tensors alone
  torchscript,  ///< a program for torch.jit.load()
  onnx,         ///< a model for ONNX runtimes
  folder        ///< the tensors as safetensors, the description, and a list of classes
};

/// \throws UserError for a text that names no format.
ExportFormat parse_export_format(const std::string& text);

/// Writes the network, in evaluation mode, and its description as NAME.json beside it; files
/// contain the description too. The written network is read again, and must return the network's
/// logits.
/// \param path of the file, or of the folder.
/// \param script path of the network's own TorchScript file, if it has one: that script is exported
///         with the trained weights.
/// \throws UserError for a network that the format cannot represent.
/// \throws Error if the written network returns other logits.
void export_network(const MultiExitNetwork& network, const ExportInfo& info, ExportFormat format,
                    const std::filesystem::path& path, const std::filesystem::path& script = "");

/// An exported network that has been read.
struct ExportedNetwork {
  ExportInfo info;
  std::int64_t parameters = 0;
  /// Returns the logits of each exit and of the head.
  MultiPredictor predict;
};

/// Whether export_network() has written this path; false for a checkpoint or a run's folder.
bool is_exported(const std::filesystem::path& path);

/// \param script path of the network's own TorchScript file, if it has one that the export lacks.
/// \throws UserError for a path that mlaan has not exported, was changed since, or is inconsistent.
ExportedNetwork read_exported(const std::filesystem::path& path, torch::Device device,
                              const std::filesystem::path& script = "");

}  // namespace mlaan
