// JSON documents whose texts may hold any bytes, as names of files do.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace mlaan {

/// The document. A byte that belongs to no character of UTF-8 is written as Python's
/// surrogateescape writes it, \udce9 for the byte E9, so that os.fsencode() of what json.load()
/// gives are the same bytes.
std::string json_text(const nlohmann::ordered_json& document, int indent = -1);

/// Reads what json_text() writes, and any other JSON.
/// \throws UserError for a key that an object has twice, and for what is nested deeper than any
/// file
///         of mlaan's; nlohmann::json::exception for what is no JSON.
nlohmann::json parse_json(const std::string& text);

}  // namespace mlaan
