// Files of PyTorch, which are not read.
#pragma once

#include <filesystem>

namespace mlaan {

/// \throws UserError for a file that torch.save() or torch.jit.save() has written, by whatever
///         name, that says how to convert it; does nothing for any other.
void refuse_pytorch_file(const std::filesystem::path& path);

}  // namespace mlaan
