// Options whose texts a parser has to understand.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>

#include <string>
#include <utility>
#include <variant>

namespace mlaan {

/// Accepts the texts that a parser reads without a UserError. \param text how to say so.
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
