// Requests to a store that may never answer, because the machine that serves it is gone.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace mlaan {

/// Calls `ask` until it returns an answer, in a detached thread, which is abandoned if it hangs.
/// \param longest time that one call may take.
/// \return nothing if a call takes longer, or throws.
std::optional<std::string> ask_until_answered(
    const std::function<std::optional<std::string>()>& ask, std::chrono::milliseconds longest);

/// The same with a single call.
std::optional<std::string> ask_once(const std::function<std::string()>& ask,
                                    std::chrono::milliseconds longest);

}  // namespace mlaan
