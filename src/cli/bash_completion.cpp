// The completion script for bash.
#include "cli/completion_script.h"
#include "cli/shell_text.h"
#include "core/joined.h"

namespace mlaan::cli {
namespace {

constexpr const char* beginning =
    R"(# Completion of mlaan's command line in bash, as `mlaan completion bash` prints it.

_mlaan_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
  [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}

_mlaan_word_list() {
  local before=
  [[ $word != *,* ]] || before=${word%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${word##*,}")
}

_mlaan_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}

_mlaan() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} path="" i
  COMPREPLY=()
  # --flag=value comes as three words.
  [[ $word != = ]] || word=
  [[ ${COMP_WORDS[COMP_CWORD]} == = || $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
)";

/// The shell command that completes a value; ":" if there is nothing to offer.
std::string action(const Offer& offer) {
  switch (offer.kind) {
    case Offer::Kind::files:
      return "_mlaan_files -f";
    case Offer::Kind::folders:
      return "_mlaan_files -d";
    case Offer::Kind::words:
      return "_mlaan_words " + shell_word(joined(offer.words));
    case Offer::Kind::word_list:
      return "_mlaan_word_list " + shell_word(joined(offer.words));
    case Offer::Kind::nothing:
      break;
  }
  return ":";
}

std::string pattern(const CommandOutline& command) {
  return "'" + path_text(command) + "'";
}

/// Finds the subcommand that is being typed.
std::string find_path(const CommandOutline& program) {
  std::string patterns;
  for (const auto* command : all_commands(program)) {
    if (command->path.empty()) continue;
    patterns += (patterns.empty() ? "" : " | ") + pattern(*command);
  }
  return "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    case \"$path ${COMP_WORDS[i]}\" in\n      " +
         patterns +
         ") path+=\" ${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n";
}

std::string complete_command(const CommandOutline& command) {
  std::string values;
  std::vector<std::string> names;
  for (const auto& flag : command.flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
    if (flag.value.empty()) continue;
    values += "        " + joined(flag.names, " | ") + ") " + action(flag.offer) + "; return ;;\n";
  }
  std::vector<std::string> below;
  for (const auto& each : command.commands) below.push_back(each.path.back());
  std::string text = "    " + pattern(command) + ")\n";
  if (!values.empty()) text += "      case $before in\n" + values + "      esac\n";
  text += "      if [[ $word == -* ]]; then _mlaan_words " + shell_word(joined(names)) + "\n";
  if (!below.empty()) text += "      else _mlaan_words " + shell_word(joined(below)) + "\n";
  if (below.empty() && !command.arguments.empty()) {
    text += "      else " + action(command.arguments.front().offer) + "\n";
  }
  return text + "      fi ;;\n";
}

}  // namespace

std::string bash_completion(const CommandOutline& program) {
  std::string text = beginning + find_path(program) + "  case $path in\n";
  for (const auto* command : all_commands(program)) text += complete_command(*command);
  return text + "  esac\n}\n\ncomplete -F _mlaan mlaan\n";
}

}  // namespace mlaan::cli
