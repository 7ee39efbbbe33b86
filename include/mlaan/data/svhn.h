// SVHN, Street View House Numbers, cropped digits (Netzer et al. 2011), from its .mat files.
#pragma once

#include <mlaan/data/dataset.h>

#include <string>

namespace mlaan {

struct SvhnOptions {
  static constexpr const char* section = "svhn";
  bool extra = false;

  void describe(FieldList& fields);
};

/// `train_32x32.mat` and `test_32x32.mat`, of which each holds X, 32×32×3×n bytes, and y, n labels
/// from 1 to 10, where 10 stands for the digit 0. Class c is the digit c. Needs a build with matio.
/// \param folder with the files.
/// \throws UserError in a build without, too.
DataSource load_svhn(const std::string& folder, const SvhnOptions& options = {});

DatasetEntry svhn_entry();

}  // namespace mlaan
