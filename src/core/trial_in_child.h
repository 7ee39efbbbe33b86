// What may end the process, tried in another one first.
#pragma once

#include <functional>
#include <string>

namespace mlaan {

/// Runs the action in a child process of its own, whose output goes nowhere, and says how that
/// ended if it did not return or throw: "Segmentation fault". "" if it did, and where no child can
/// be made. \param seconds after which the child is ended.
std::string death_in_child(const std::function<void()>& action, unsigned seconds);

/// Tries in such a process what opens a TorchScript file: LibTorch ends the process over some that
/// are damaged. \throws UserError naming the file where it does.
void try_opening(const std::string& file, const std::function<void()>& open);

}  // namespace mlaan
