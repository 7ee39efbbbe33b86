// Turns errors of LibTorch into one-line messages for users.
#pragma once

#include <c10/util/Exception.h>

#include <string>

namespace mlaan {

/// The first line of an error's text that says what is wrong, without locations in LibTorch's
/// sources and without a TorchScript trace.
std::string first_line(const std::string& text);

/// Throws a UserError or an Error that says in one line what the error means.
/// \param context the beginning of the message: "mlm, seed 1: ".
[[noreturn]] void throw_explained(const c10::Error& error, const std::string& context = "");

/// The same for the text of any error, such as a TorchScript error.
[[noreturn]] void throw_explained(const std::string& text, const std::string& context = "");

}  // namespace mlaan
