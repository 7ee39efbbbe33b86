// What views of progress share: a line on the terminal that renews itself.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace mlaan {

/// Whether the stream is a terminal on which a line can take the place of the last; none whose TERM
/// is "dumb" or not set.
bool renews_lines(std::FILE* stream);

/// From one line to the next: on a terminal, where a line takes the place of the last, and in a
/// file, where it stays.
std::chrono::milliseconds time_between_lines(bool terminal);

/// Width of the terminal; 80 where it is not known.
std::size_t columns_of(std::FILE* stream);

/// "[####....]", `width` characters between the brackets. \param share from 0 to 1.
std::string bar(double share, std::size_t width);

}  // namespace mlaan
