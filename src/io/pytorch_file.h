// Recognises PyTorch files, which mlaan does not read.
#pragma once

#include <filesystem>

namespace mlaan {

/// \throws UserError, which says how to convert the file, for a file of any name that was written
///         by torch.save() or torch.jit.save(); does nothing for other files.
void refuse_pytorch_file(const std::filesystem::path& path);

}  // namespace mlaan
