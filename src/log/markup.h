// Text, tables and pages in HTML and SVG.
#pragma once

#include <string>
#include <vector>

namespace mlaan {

/// Escapes text for use between tags and in attributes. Control characters become blanks, and bytes
/// that are not valid UTF-8 become U+FFFD.
std::string escaped_markup(const std::string& text);

/// A table. Cells that begin with a digit or a sign are aligned to the right.
/// \param rows of unescaped text.
std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

/// A complete page without scripts, with styles for phones and for light and dark mode.
/// \param body as HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace mlaan
