// Questions to a store that may never answer, because the machine that serves it is gone.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace mlaan {

/// Asks again and again, in a thread that is left alone where it hangs, until there is an answer.
/// \param longest that one asking may take.
/// \return nothing where one takes longer, or throws.
std::optional<std::string> ask_until_answered(
    const std::function<std::optional<std::string>()>& ask, std::chrono::milliseconds longest);

/// Asks once.
std::optional<std::string> ask_once(const std::function<std::string()>& ask,
                                    std::chrono::milliseconds longest);

}  // namespace mlaan
