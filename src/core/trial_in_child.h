// Tries in a child process what may crash the process.
#pragma once

#include <functional>
#include <string>

namespace mlaan {

/// Runs the action in a child process whose output is discarded. \return how the child ended if the
/// action neither returned nor threw, such as "Segmentation fault"; else "", also if no child can
/// be made.
/// \param seconds after which the child is killed.
std::string death_in_child(const std::function<void()>& action, unsigned seconds);

/// Opens a TorchScript file in such a child process first: LibTorch crashes on some damaged files.
/// \throws UserError naming the file if the child crashes.
void try_opening(const std::string& file, const std::function<void()>& open);

}  // namespace mlaan
