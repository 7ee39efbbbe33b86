// Text, tables and pages in HTML and SVG.
#include "log/markup.h"

#include <cctype>

namespace mlaan {
namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --faint: #667085; --rule: #d8dde6;
  --card: #f6f8fb; --accent: #3f7fd6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --paper: #14181f; --faint: #98a2b3;
  --rule: #343c49; --card: #1c222c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.6em; margin: .4em 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25em; margin: 1.8em 0 .5em; border-bottom: 1px solid var(--rule);
  padding-bottom: .2em; overflow-wrap: anywhere; }
h3 { font-size: 1em; margin: 0 0 .4em; }
p.note, figcaption { color: var(--faint); font-size: .88em; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 10px; }
.fact { background: var(--card); border-radius: 8px; padding: 8px 12px; }
.fact b { display: block; font-size: 1.2em; overflow-wrap: anywhere; }
.fact span { color: var(--faint); font-size: .85em; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr));
  gap: 16px; }
figure { margin: 0; background: var(--card); border-radius: 8px; padding: 12px; min-width: 0; }
figure svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: .84em; margin-top: 6px; }
.legend i { display: inline-block; width: 12px; height: 4px; margin-right: 6px;
  vertical-align: middle; border-radius: 2px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9em; margin: .4em 0; }
th, td { padding: 3px 10px; border-bottom: 1px solid var(--rule); text-align: left;
  white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
th { color: var(--faint); font-weight: 600; }
th.right { text-align: right; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 10px; }
.pictures figure { padding: 6px; }
.pictures img { width: 100%; image-rendering: pixelated; border-radius: 4px; display: block; }
.pictures figcaption { line-height: 1.3; margin-top: 4px; overflow-wrap: anywhere; }
pre { background: var(--card); border-radius: 8px; padding: 10px; overflow-x: auto;
  font-size: .82em; }
details { margin: .6em 0; } summary { cursor: pointer; }
)";

/// The length in bytes of the UTF-8 character that begins here; 0 if it is invalid.
std::size_t letter_bytes(const std::string& text, std::size_t begin) {
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte_at(begin);
  const std::size_t count = first < 0x80                    ? 1
                            : first >= 0xc2 && first < 0xe0 ? 2
                            : first >= 0xe0 && first < 0xf0 ? 3
                            : first >= 0xf0 && first < 0xf5 ? 4
                                                            : 0;
  if (begin + count > text.size()) return 0;
  for (std::size_t i = 1; i < count; ++i) {
    if ((byte_at(begin + i) & 0xc0) != 0x80) return 0;
  }
  return count;
}

std::string escaped_letter(const std::string& letter) {
  if (letter == "&") return "&amp;";
  if (letter == "<") return "&lt;";
  if (letter == ">") return "&gt;";
  if (letter == "\"") return "&quot;";
  if (letter == "'") return "&#39;";
  const auto first = static_cast<unsigned char>(letter[0]);
  if ((first < 0x20 && letter != "\n") || first == 0x7f) return " ";
  return letter;
}

bool is_numeric(const std::string& cell) {
  if (cell.empty()) return false;
  const auto first = static_cast<unsigned char>(cell[0]);
  return std::isdigit(first) != 0 || ((first == '-' || first == '+') && cell.size() < 24);
}

}  // namespace

std::string escaped_markup(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = letter_bytes(text, i);
    result += bytes == 0 ? "\xef\xbf\xbd" : escaped_letter(text.substr(i, bytes));
    i += bytes == 0 ? 1 : bytes;
  }
  return result;
}

std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"wide\"><table>\n<tr>";
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool above_numbers =
        !rows.empty() && i < rows.back().size() && is_numeric(rows.back()[i]);
    html += above_numbers ? "<th class=\"right\">" : "<th>";
    html += escaped_markup(header[i]) + "</th>";
  }
  html += "</tr>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (const auto& cell : row) {
      html += is_numeric(cell) ? "<td class=\"number\">" : "<td>";
      html += escaped_markup(cell) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string html_page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped_markup(title) + "</title>\n<style>" + style +
         "</style>\n</head>\n<body>\n<main>\n" + body + "</main>\n</body>\n</html>\n";
}

}  // namespace mlaan
