// Options as plain structs whose fields carry their key, default, meaning and accepted values.
//
// A struct becomes a section of options by two members: its section's name, and `describe`, which
// lists its fields. Everything else - the configuration file, `--set`, the printed schema, the
// record of a run - follows from that list:
//
//     struct MlmOptions {
//       static constexpr const char* section = "mlm";
//       std::int64_t window = 2;
//       void describe(FieldList& fields) {
//         fields.add("window", window, "modules that a cascaded supervision spans", at_least(1));
//       }
//     };
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <typeindex>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace mlaan {

using TextList = std::vector<std::string>;
/// What an option can hold.
using OptionValue = std::variant<bool, std::int64_t, double, std::string, TextList>;

/// A condition on a value and how to say it: "at least 1".
struct Accepts {
  std::function<bool(const OptionValue&)> test;
  std::string text;
};

Accepts anything();
Accepts at_least(double lowest);
Accepts above(double bound);
Accepts between(double lowest, double highest);
/// From `lowest` to a billion, so that the product of two such counts does not overflow.
Accepts count_from(std::int64_t lowest);
Accepts one_of(std::vector<std::string> names);

/// One option: its key, where its value lives, and what it means.
struct Field {
  std::string key;
  std::variant<bool*, std::int64_t*, double*, std::string*, TextList*> target;
  std::string help;
  Accepts accepts;
  OptionValue initial;    ///< the default
  bool has_flag = false;  ///< whether a method's option also has a flag of its own

  OptionValue value() const;
  /// \throws UserError naming the key and what would be accepted.
  void assign(const OptionValue& value);
  /// Parses a value in TOML syntax; strings may also be written without quotes.
  /// \throws UserError naming the key and what would be accepted.
  void assign_text(const std::string& text);
  /// Type and accepted values as text: "integer, at least 1".
  std::string accepted() const;
};

/// The value in TOML syntax.
std::string to_toml(const OptionValue& value);

/// The fields of one section, in the order in which they were added.
class FieldList {
 public:
  /// \param section the first part of the keys; "" for keys of the top level.
  explicit FieldList(std::string section) : section_(std::move(section)) {}

  template <class T>
  Field& add(const std::string& name, T& target, std::string help, Accepts accepts = anything()) {
    fields_.push_back({section_.empty() ? name : section_ + "." + name, &target, std::move(help),
                       std::move(accepts), target});
    return fields_.back();
  }

  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::string section_;
  std::vector<Field> fields_;
};

/// A set of option structs, at most one of each type: methods that use the same struct share its
/// values. Copies are deep.
class OptionSet {
 public:
  OptionSet() = default;
  OptionSet(OptionSet&&) = default;
  OptionSet& operator=(OptionSet&&) = default;
  OptionSet(const OptionSet& other);
  OptionSet& operator=(const OptionSet& other);
  ~OptionSet() = default;

  /// Calls Field::assign_text() of one option.
  /// \param origin prefix of error messages.
  /// \throws UserError for an unknown key or a value that is not accepted.
  void assign_text(const std::string& key, const std::string& text, const std::string& origin);

  /// The struct of this type, for changes; created with its defaults at the first call.
  template <class T>
  T& get() {
    auto& section = sections_[std::type_index(typeid(T))];
    if (!section) {
      auto made = std::make_shared<T>();
      section = made;
      FieldList list(T::section);
      made->describe(list);
      fields_.insert(fields_.end(), list.fields().begin(), list.fields().end());
      declarations_.push_back([](OptionSet& options) { options.get<T>(); });
    }
    return *static_cast<T*>(section.get());
  }

  /// The struct of this type; its defaults if the set does not contain it.
  template <class T>
  const T& get() const {
    static const T defaults{};
    const auto found = sections_.find(std::type_index(typeid(T)));
    return found == sections_.end() ? defaults : *static_cast<const T*>(found->second.get());
  }

  /// The fields of all structs in the set.
  const std::vector<Field>& fields() const { return fields_; }
  std::vector<std::string> keys() const;
  /// \throws UserError for an unknown key, naming the nearest known one.
  const Field& field(const std::string& key) const;
  Field& field(const std::string& key);

 private:
  std::unordered_map<std::type_index, std::shared_ptr<void>> sections_;
  std::vector<Field> fields_;                       ///< their targets are in `sections_`
  std::vector<void (*)(OptionSet&)> declarations_;  ///< create the sections, in order
};

}  // namespace mlaan
