// What stands beside an exported network's weights.
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
  // In per cent; NaN where it was not measured.
  double validation_error = 0;
  double test_error = 0;
};

/// What stands beside the weights.
struct ExportInfo : NetworkDescription {
  std::string method;       ///< that it was trained by
  std::int64_t epochs = 0;  ///< that it was trained for
  std::string dataset;
  std::string dataset_settings;     ///< as TOML: those that say how its pictures are read
  std::vector<ExportedExit> exits;  ///< the head last
  std::string plan;  ///< of the exits, as a plan file has it; "" where there are none

  /// {"format": "mlaan network 1", "model": …, "classes": ["aeroplane", …], "image": {"channels":
  /// 3, "height": 32, "width": 32}, "normalisation": {"mean": […], "deviation": […]}, "share": 1,
  /// "method": …, "epochs": …, "dataset": …, "outputs": [{"name": "logits", …}], …}
  std::string to_json() const;
  /// \throws UserError for a text that is not what to_json() writes.
  static ExportInfo from_json(const std::string& text);
};

/// The data set that the network was trained on, and how its pictures are read, as TOML.
std::string dataset_assignments(const ExportInfo& info);

/// Those of all settings that say how the data set's pictures are read, as TOML.
std::string dataset_settings(const Settings& settings);

}  // namespace mlaan
