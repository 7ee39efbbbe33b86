// JSON documents whose strings may hold any bytes, such as file names.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace mlaan {

/// Writes a document. A byte that is not part of valid UTF-8 is written as Python's surrogateescape
/// writes it, \udce9 for the byte E9, so that os.fsencode() of the string that json.load() returns
/// restores the bytes.
std::string json_text(const nlohmann::ordered_json& document, int indent = -1);

/// Reads what json_text() writes, and any other JSON.
/// \throws UserError for a duplicate key in an object, and for nesting deeper than in any file of
///         mlaan's; nlohmann::json::exception for malformed JSON.
nlohmann::json parse_json(const std::string& text);

}  // namespace mlaan
