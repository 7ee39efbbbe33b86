// The completion script for zsh.
#include "cli/completion_script.h"
#include "cli/shell_text.h"
#include "core/joined.h"

namespace mlaan::cli {
namespace {

/// Escapes text for use in the brackets and between the colons of _arguments.
std::string escaped_for_zsh(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\\' || letter == '[' || letter == ']' || letter == ':') result += '\\';
    result += letter;
  }
  return result;
}

/// Quotes a text in single quotes.
std::string zsh_quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) result += letter == '\'' ? "'\\''" : std::string(1, letter);
  return result + "'";
}

std::string zsh_action(const Offer& offer) {
  switch (offer.kind) {
    case Offer::Kind::files:
      return "_files";
    case Offer::Kind::folders:
      return "_files -/";
    case Offer::Kind::words: {
      const bool assigns = !offer.words.empty() && offer.words.front().back() == '=';
      return assigns ? "compadd -S \"\" -- " + joined(offer.words)
                     : "(" + joined(offer.words) + ")";
    }
    case Offer::Kind::word_list:
      return "_sequence compadd - " + joined(offer.words);
    case Offer::Kind::nothing:
      break;
  }
  return " ";
}

/// ":METHOD:(e2e dgl)"
std::string zsh_value_of(const FlagOutline& flag) {
  if (flag.value.empty()) return "";
  const std::string name = flag.value.front() == '{' ? "value" : flag.value;
  return std::string(flag.value_is_optional ? "::" : ":") + escaped_for_zsh(name) + ":" +
         zsh_action(flag.offer);
}

std::string function_of(const CommandOutline& command) {
  return "_mlaan" + (command.path.empty() ? "" : "_" + joined(command.path, "_"));
}

std::string flag_specs(const CommandOutline& command) {
  std::string text;
  for (const auto& flag : command.flags) {
    const std::string others = "(" + joined(flag.names) + ")";
    for (const auto& name : flag.names) {
      const bool is_long = name.compare(0, 2, "--") == 0;
      const std::string joins = flag.value.empty() ? "" : (is_long ? "=" : "+");
      text += " \\\n    " + zsh_quoted(others + name + joins + "[" + escaped_for_zsh(flag.help) +
                                       "]" + zsh_value_of(flag));
    }
  }
  return text;
}

std::string argument_specs(const CommandOutline& command) {
  std::string text;
  int place = 1;
  for (const auto& argument : command.arguments) {
    const std::string at = argument.takes_many ? "*" : std::to_string(place++);
    text += " \\\n    " + zsh_quoted(at + ":" + escaped_for_zsh(argument.value) + ":" +
                                     zsh_action(argument.offer));
  }
  return text;
}

/// A command with subcommands: completes their names, then calls their own functions.
std::string choose_below(const CommandOutline& command) {
  std::string names;
  std::string cases;
  for (const auto& below : command.commands) {
    const std::string& name = below.path.back();
    names += "\n      " + zsh_quoted(name + ":" + escaped_for_zsh(below.help));
    cases += "        " + name + ") " + function_of(below) + " ;;\n";
  }
  return " \\\n    '1: :->command' '*::argument:->below'\n"
         "  case $state in\n"
         "    command)\n"
         "      local -a commands=(" +
         names +
         ")\n"
         "      _describe command commands ;;\n"
         "    below)\n"
         "      case ${words[1]} in\n" +
         cases +
         "      esac ;;\n"
         "  esac\n";
}

std::string function(const CommandOutline& command) {
  std::string text = function_of(command) + "() {\n";
  if (command.commands.empty()) {
    text += "  _arguments" + flag_specs(command) + argument_specs(command) + "\n";
  } else {
    text += "  local curcontext=$curcontext state line\n  typeset -A opt_args\n  _arguments -C" +
            flag_specs(command) + choose_below(command);
  }
  return text + "}\n\n";
}

}  // namespace

std::string zsh_completion(const CommandOutline& program) {
  std::string text =
      "#compdef mlaan\n"
      "# Completion of mlaan's command line in zsh, as `mlaan completion zsh` prints it.\n\n";
  for (const auto* command : all_commands(program)) text += function(*command);
  // When zsh autoloads the script, it is the function itself; when sourced, it registers the
  // function.
  return text +
         "if [[ ${funcstack[1]} == _mlaan ]]; then\n  _mlaan \"$@\"\nelse\n"
         "  compdef _mlaan mlaan\nfi\n";
}

}  // namespace mlaan::cli
