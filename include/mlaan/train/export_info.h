// The description of an exported network, which is stored with its weights.
#pragma once

#include <mlaan/train/network_description.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// An exit of an exported network.
struct ExportedExit {
  std::string output;       ///< "exit_3", "logits"
  std::string net;          ///< name of the auxiliary net; "head" for the backbone's own
  std::int64_t module = 0;  ///< from 1
  // Per cent; NaN if not measured.
  double validation_error = 0;
  double test_error = 0;
};

/// The description of an exported network.
struct ExportInfo : NetworkDescription {
  std::string method;       ///< that the network was trained by
  std::int64_t epochs = 0;  ///< number of training epochs
  std::string dataset;
  std::string dataset_settings;     ///< TOML: the settings that decide how its pictures are read
  std::vector<ExportedExit> exits;  ///< the head comes last
  std::string plan;                 ///< of the exits, in the format of plan files; "" without exits

  /// {"format": "mlaan network 1", "model": …, "classes": ["aeroplane", …], "image": {"channels":
  /// 3, "height": 32, "width": 32}, "normalisation": {"mean": […], "deviation": […]}, "share": 1,
  /// "method": …, "epochs": …, "dataset": …, "outputs": [{"name": "logits", …}], …}
  std::string to_json() const;
  /// \throws UserError for a text that to_json() has not written.
  static ExportInfo from_json(const std::string& text);
};

/// The data set that the network was trained on, and its `dataset_settings`, as TOML.
std::string dataset_assignments(const ExportInfo& info);

/// The settings that decide how the data set's pictures are read, as TOML.
std::string dataset_settings(const Settings& settings);

}  // namespace mlaan
