// Renumbers the classes of a data set.
#pragma once

#include <mlaan/data/dataset.h>

#include <string>
#include <vector>

namespace mlaan {

/// The same images with the classes numbered in the given order.
/// \param classes the data set's class names in another order, each once.
DataSource with_class_order(DataSource data, const std::vector<std::string>& classes);

}  // namespace mlaan
