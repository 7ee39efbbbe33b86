// Words of plan files that are both read and written.
#pragma once

#include <mlaan/local/plan.h>

#include <array>
#include <utility>

namespace mlaan {

/// Between the first and the last unit of a module.
constexpr const char* between_units = " to ";

/// Names of the courses of weights that change.
inline constexpr std::array weight_courses{std::pair{"linear", WeightCourse::linear},
                                           std::pair{"cosine", WeightCourse::cosine}};

}  // namespace mlaan
