// Text and tables in HTML and SVG.
#pragma once

#include <string>
#include <vector>

namespace mlaan {

/// As it has to stand between tags and in attributes; control characters become blanks, and bytes
/// that are no UTF-8 become U+FFFD.
std::string escaped_markup(const std::string& text);

/// A table; cells that begin with a digit or a sign are aligned to the right.
/// \param rows of text that is not escaped yet.
std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

/// A whole page without scripts, legible on phones, in light and in dark.
/// \param body as HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace mlaan
