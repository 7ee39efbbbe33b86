// Options whose value must be a text that a parser can read.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>

#include <string>
#include <utility>
#include <variant>

namespace mlaan {

/// Accepts texts that `parse` reads without a UserError. \param text describes them for messages.
template <class Parser>
Accepts readable_by(const Parser& parse, std::string text) {
  return {[parse](const OptionValue& value) {
            try {
              parse(std::get<std::string>(value));
              return true;
            } catch (const UserError&) {
              return false;
            }
          },
          std::move(text)};
}

}  // namespace mlaan
