// A progress line on the terminal that is overwritten by the next.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace mlaan {

/// Whether the stream is a terminal that can overwrite a line; false if TERM is "dumb" or not set.
bool renews_lines(std::FILE* stream);

/// The time between two progress lines: 100 ms on a terminal, where each overwrites the last, and
/// 10 s in a file, where all are kept.
std::chrono::milliseconds time_between_lines(bool terminal);

/// Width of the terminal in columns; 80 if unknown.
std::size_t columns_of(std::FILE* stream);

/// "[####....]", `width` characters between the brackets. \param share from 0 to 1.
std::string bar(double share, std::size_t width);

}  // namespace mlaan
