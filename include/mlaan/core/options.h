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
/// Whole numbers from this one to a billion, products of two of which can be counted.
Accepts count_from(std::int64_t lowest);
Accepts one_of(std::vector<std::string> names);

/// One option: its key, where its value lives, and what it means.
struct Field {
  std::string key;
  std::variant<bool*, std::int64_t*, double*, std::string*, TextList*> target;
  std::string help;
  Accepts accepts;
  OptionValue initial;    ///< the default
  bool has_flag = false;  ///< a method's option that is worth a flag of its own

  OptionValue value() const;
  /// \throws UserError naming the key and what would be accepted.
  void assign(const OptionValue& value);
  /// Reads the value as it would stand in a TOML file; a bare word is a string too.
  /// \throws UserError naming the key and what would be accepted.
  void assign_text(const std::string& text);
  /// "integer, at least 1".
  std::string accepted() const;
};

/// The value as it stands in a TOML file.
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

/// Option structs of any types, one of each. Methods that share a struct so share its values. A
/// copy has values of its own.
class OptionSet {
 public:
  OptionSet() = default;
  OptionSet(OptionSet&&) = default;
  OptionSet& operator=(OptionSet&&) = default;
  OptionSet(const OptionSet& other);
  OptionSet& operator=(const OptionSet& other);
  ~OptionSet() = default;

  /// Field::assign_text() of one option. \param origin what messages begin with.
  void assign_text(const std::string& key, const std::string& text, const std::string& origin);

  /// The struct, to be changed; made with its defaults when first asked for.
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

  /// The struct; its defaults where nobody has asked for it to be changed.
  template <class T>
  const T& get() const {
    static const T defaults{};
    const auto found = sections_.find(std::type_index(typeid(T)));
    return found == sections_.end() ? defaults : *static_cast<const T*>(found->second.get());
  }

  /// All fields of the structs made so far.
  const std::vector<Field>& fields() const { return fields_; }
  std::vector<std::string> keys() const;
  /// \throws UserError for an unknown key, naming the nearest known one.
  const Field& field(const std::string& key) const;
  Field& field(const std::string& key);

 private:
  std::unordered_map<std::type_index, std::shared_ptr<void>> sections_;
  std::vector<Field> fields_;                       ///< pointing into the sections
  std::vector<void (*)(OptionSet&)> declarations_;  ///< each makes a section, in the same order
};

}  // namespace mlaan
