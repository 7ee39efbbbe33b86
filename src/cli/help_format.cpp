// The layout of the program's help.
#include "cli/help_format.h"

#include "cli/key_flag.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

namespace mlaan::cli {
namespace {

constexpr std::size_t line_width = 100;
constexpr std::size_t left_width = 30;

/// The number of characters of a UTF-8 text.
std::size_t character_count(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines{""};
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (character_count(line) + 1 + character_count(word) <= width) {
      line += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

/// A name, with its meaning to the right, or below if the name is long.
std::string entry(const std::string& name, const std::string& meaning) {
  std::string text = "  " + name;
  // At least two blanks separate the columns; help2man relies on them.
  const bool fits = character_count(text) + 2 <= left_width;
  std::string indent = fits ? std::string(left_width - character_count(text), ' ')
                            : "\n" + std::string(left_width, ' ');
  for (const auto& line : wrapped(meaning, line_width - left_width)) {
    text += indent;
    text += line;
    indent = "\n" + std::string(left_width, ' ');
  }
  return text + "\n";
}

std::string paragraph(const std::string& text) {
  std::string lines;
  for (const auto& line : wrapped(text, line_width)) lines += line + "\n";
  return lines;
}

/// "-b, --batch-size N"
std::string usage_of(const CLI::Option& option) {
  if (option.get_positional()) {
    const std::string value = value_name(option);
    const std::string name = option.get_name(true, false);
    return value.find('{') == 0 ? name + " " + value : name;
  }
  std::string text;
  for (const auto& name : option.get_snames()) text += (text.empty() ? "-" : ", -") + name;
  for (const auto& name : option.get_lnames()) text += (text.empty() ? "--" : ", --") + name;
  const std::string value = value_name(option);
  if (value.empty()) return text;
  return text + (option.get_expected_min() == 0 ? " [" + value + "]" : " " + value);
}

std::string entries(const std::string& heading, const std::vector<const CLI::Option*>& options) {
  if (options.empty()) return "";
  std::string text = "\n" + heading + ":\n";
  for (const auto* option : options) text += entry(usage_of(*option), option->get_description());
  return text;
}

std::string usage_line(const CLI::App& app, const std::string& name) {
  std::string text = "Usage: " + name + " [OPTIONS]";
  for (const auto* option :
       app.get_options([](const auto* each) { return each->get_positional(); })) {
    const bool many = option->get_expected_max() > 1;
    const std::string shown = option->get_name(true, false) + (many ? "..." : "");
    text += option->get_required() ? " " + shown : " [" + shown + "]";
  }
  const bool has_commands = !app.get_subcommands(nullptr).empty();
  return text + (has_commands ? " [SUBCOMMAND]\n" : "\n");
}

/// The headings that are in use, in the order of the help.
std::vector<std::string> headings_of(const CLI::App& app) {
  std::vector<std::string> headings{group::data,         group::model,          group::method,
                                    group::training,     group::optimizer,      group::schedule,
                                    group::augmentation, group::regularisation, group::validation,
                                    group::hardware,     group::measurement,    group::results,
                                    group::saving,       group::logging,        group::settings};
  for (const auto& heading : app.get_groups()) {
    const bool known = std::find(headings.begin(), headings.end(), heading) != headings.end();
    if (!known && heading != group::other) headings.push_back(heading);
  }
  headings.emplace_back(group::other);
  return headings;
}

std::string help(const CLI::App* app, const std::string& name) {
  std::string text = paragraph(app->get_description()) + "\n" + usage_line(*app, name);
  text +=
      entries("Arguments",
              app->get_options([](const CLI::Option* option) { return option->get_positional(); }));
  const auto commands = app->get_subcommands(nullptr);
  if (!commands.empty()) text += "\nSubcommands:\n";
  for (const auto* command : commands)
    text += entry(command->get_name(), command->get_description());
  for (const auto& heading : headings_of(*app)) {
    text += entries(heading, app->get_options([&](const CLI::Option* option) {
      return option->nonpositional() && option->get_group() == heading;
    }));
  }
  if (!app->get_footer().empty()) text += "\n" + paragraph(app->get_footer());
  return text;
}

class HelpFormat : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode /*mode*/) const override {
    return help(app, name);
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_format() {
  return std::make_shared<HelpFormat>();
}

std::string value_name(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return "";
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

}  // namespace mlaan::cli
