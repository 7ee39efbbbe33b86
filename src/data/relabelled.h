// Data sets whose classes are numbered anew.
#pragma once

#include <mlaan/data/dataset.h>

#include <string>
#include <vector>

namespace mlaan {

/// The same images, their classes numbered in this order.
/// \param classes the data's names in another order, each once.
DataSource with_class_order(DataSource data, const std::vector<std::string>& classes);

}  // namespace mlaan
