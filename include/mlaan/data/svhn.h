// SVHN, Street View House Numbers, cropped digits (Netzer et al. 2011), from its .mat files.
#pragma once

#include <mlaan/data/dataset.h>

#include <string>

namespace mlaan {

struct SvhnOptions {
  static constexpr const char* section = "svhn";
  bool extra = false;  ///< also train on the 531,131 easier images of extra_32x32.mat

  void describe(FieldList& fields);
};

/// Reads `train_32x32.mat` and `test_32x32.mat`, each with X, 32×32×3×n bytes, and y, n labels from
/// 1 to 10, where 10 is the digit 0. Class c is the digit c. Needs a build with matio.
/// \param folder that has the files.
/// \throws UserError for a missing or malformed file, and in a build without matio.
DataSource load_svhn(const std::string& folder, const SvhnOptions& options = {});

DatasetEntry svhn_entry();

}  // namespace mlaan
