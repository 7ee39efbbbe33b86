// What errors of LibTorch mean to whoever trains, in a line.
#pragma once

#include <c10/util/Exception.h>

#include <string>

namespace mlaan {

/// The first line of an error's text that says what is wrong: without places in LibTorch's sources,
/// and without the trace of a script.
std::string first_line(const std::string& text);

/// Throws a UserError or an Error that says in one line what the error means.
/// \param context what comes before: "mlm, seed 1: ".
[[noreturn]] void throw_explained(const c10::Error& error, const std::string& context = "");

/// The same for the text of any error, such as those of scripts.
[[noreturn]] void throw_explained(const std::string& text, const std::string& context = "");

}  // namespace mlaan
