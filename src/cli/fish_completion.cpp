// The completion script for fish.
#include "cli/completion_script.h"
#include "core/joined.h"

namespace mlaan::cli {
namespace {

/// Quotes a text in fish's single quotes.
std::string fish_quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') result += '\\';
    result += letter;
  }
  return result + "'";
}

/// " -r -F": a value is required, and files are offered.
std::string fish_value_of(const FlagOutline& flag) {
  if (flag.value.empty() || flag.value_is_optional) return "";
  switch (flag.offer.kind) {
    case Offer::Kind::files:
      return " -r -F";
    case Offer::Kind::folders:
      return " -x -a '(__fish_complete_directories)'";
    case Offer::Kind::words:
      return " -x -a " + fish_quoted(joined(flag.offer.words));
    case Offer::Kind::word_list:
      return " -x -a " + fish_quoted("(__fish_append , " + joined(flag.offer.words) + ")");
    case Offer::Kind::nothing:
      break;
  }
  return " -x";
}

std::string flag_line(const std::string& begin, const FlagOutline& flag) {
  std::string line = begin;
  for (const auto& name : flag.names) {
    const bool is_long = name.compare(0, 2, "--") == 0;
    line += is_long ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return line + fish_value_of(flag) + " -d " + fish_quoted(flag.help) + "\n";
}

std::string lines(const CommandOutline& command) {
  const std::string begin =
      "complete -c mlaan -n " + fish_quoted("__mlaan_at " + fish_quoted(path_text(command)));
  std::string text;
  for (const auto& below : command.commands) {
    text += begin + " -a " + below.path.back() + " -d " + fish_quoted(below.help) + "\n";
  }
  for (const auto& flag : command.flags) text += flag_line(begin, flag);
  for (const auto& argument : command.arguments) {
    const Offer& offer = argument.offer;
    if (offer.kind == Offer::Kind::words)
      text += begin + " -a " + fish_quoted(joined(offer.words)) + "\n";
    if (offer.kind == Offer::Kind::files) text += begin + " -F\n";
    if (offer.kind == Offer::Kind::folders) {
      text += begin + " -a '(__fish_complete_directories)'\n";
    }
  }
  return text;
}

}  // namespace

std::string fish_completion(const CommandOutline& program) {
  std::string paths;
  std::string text;
  for (const auto* command : all_commands(program)) {
    if (!command->path.empty()) paths += " " + fish_quoted(path_text(*command));
    text += lines(*command);
  }
  return "# Completion of mlaan's command line in fish, as `mlaan completion fish` prints it.\n\n"
         "# Whether these commands and no further ones have been typed.\n"
         "function __mlaan_at\n"
         "    set -l path ''\n"
         "    for word in (commandline -opc)[2..-1]\n"
         "        switch \"$path $word\"\n"
         "            case" +
         paths +
         "\n"
         "                set path \"$path $word\"\n"
         "        end\n"
         "    end\n"
         "    test \"$path\" = \"$argv[1]\"\n"
         "end\n\n"
         "complete -c mlaan -e\ncomplete -c mlaan -f\n" +
         text;
}

}  // namespace mlaan::cli
