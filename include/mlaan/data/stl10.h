// STL-10 from its binary files (Coates et al. 2011).
#pragma once

#include <mlaan/data/dataset.h>

#include <string>

namespace mlaan {

/// Reads `train_X.bin`, `train_y.bin`, `test_X.bin` and `test_y.bin`: images of 27648 bytes, the
/// red, the green and the blue plane, 96×96 each, column by column; labels of one byte, 1 to 10.
/// Class names from `class_names.txt` if it exists. The images without labels are not read.
/// \param folder that has the files, or has the folder `stl10_binary` that the archive unpacks to.
DataSource load_stl10(const std::string& folder);

DatasetEntry stl10_entry();

}  // namespace mlaan
