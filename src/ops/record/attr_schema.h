// Declared attributes: an operator says once, in a `declare` function, which attributes it has, of
// which kind, with which bounds and names. Parsing, error texts, the operator table and random
// valid values all come from that record.
//
//   struct LrnParam {
//     double alpha = 1e-4;
//     std::int64_t nsize = 0;
//     static void declare(AttrDeclarer<LrnParam>& d) {
//       d.field("alpha", &LrnParam::alpha).help("scale of the sum of squares");
//       d.field("nsize", &LrnParam::nsize).required().at_least(1);
//     }
//   };
//
// Defaults are the member initialisers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ir/dtype.h"
#include "mxnet/symbol.h"
#include "ops/record/attr_text.h"

namespace mx2onnx {

/// What is wrong with one attribute of one node.
struct AttrProblem {
  std::string attribute;
  std::string message;  ///< "expected …, got …"
  std::string hint;
};

/// One declared attribute.
struct AttrField {
  std::string name;
  std::string kind;  ///< "integer", "tuple of integers", … as error texts and the docs say it.
  std::string default_text;
  std::string help;
  bool required = false;
  bool ignored = false;            ///< Accepted and without meaning for inference (`cudnn_off`).
  bool optional = false;           ///< "None" is a value.
  std::vector<std::string> names;  ///< Allowed values of an enumeration.
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::pair<std::size_t, std::size_t> tuple_sizes{0, 32};
  /// Parses into the parameter object; false if the text is not a value of this kind within bounds.
  std::function<bool(const AttrField&, std::string_view, void*)> parse;

  /// "a tuple of 1 to 3 integers of at least 1", "relu, sigmoid or tanh".
  std::string expected() const;
  bool in_bounds(double value) const;
};

/// Fills in one field, fluently.
class FieldDeclarer {
 public:
  explicit FieldDeclarer(AttrField& field) : field_(field) {}
  FieldDeclarer& required() {
    field_.required = true;
    return *this;
  }
  FieldDeclarer& help(std::string text) {
    field_.help = std::move(text);
    return *this;
  }
  FieldDeclarer& at_least(double bound) {
    field_.minimum = bound;
    return *this;
  }
  FieldDeclarer& at_most(double bound) {
    field_.maximum = bound;
    return *this;
  }
  /// Fewest and most elements of a tuple.
  FieldDeclarer& sizes(std::size_t fewest, std::size_t most) {
    field_.tuple_sizes = {fewest, most};
    return *this;
  }

 private:
  AttrField& field_;
};

namespace attr_detail {

template <typename T>
struct OptionalValue : std::false_type {
  using type = T;
};
template <typename T>
struct OptionalValue<std::optional<T>> : std::true_type {
  using type = T;
};

std::string kind_of(bool);
std::string kind_of(std::int64_t);
std::string kind_of(double);
std::string kind_of(const std::string&);
std::string kind_of(const Tuple&);
std::string kind_of(const OptionalTuple&);
std::string kind_of(const FloatTuple&);

std::string text_of(bool value);
std::string text_of(std::int64_t value);
std::string text_of(double value);
std::string text_of(const std::string& value);
std::string text_of(const Tuple& value);
std::string text_of(const OptionalTuple& value);
std::string text_of(const FloatTuple& value);

inline bool parse_attr(std::string_view text, std::string& value) {
  value = text;
  return true;
}

bool fits(const AttrField& field, bool value);
bool fits(const AttrField& field, std::int64_t value);
bool fits(const AttrField& field, double value);
bool fits(const AttrField& field, const std::string& value);
bool fits(const AttrField& field, const Tuple& value);
bool fits(const AttrField& field, const OptionalTuple& value);
bool fits(const AttrField& field, const FloatTuple& value);

}  // namespace attr_detail

/// Collects the fields of the parameter struct P.
template <typename P>
class AttrDeclarer {
 public:
  explicit AttrDeclarer(std::vector<AttrField>& fields) : fields_(fields) {}

  /// A boolean, integer, decimal, text or tuple, or an optional one.
  template <typename T, typename Base>
  FieldDeclarer field(std::string name, T Base::*member) {
    static_assert(std::is_base_of_v<Base, P>);
    using Value = attr_detail::OptionalValue<T>::type;
    AttrField& field = add(std::move(name), attr_detail::kind_of(Value{}));
    field.optional = attr_detail::OptionalValue<T>::value;
    const P initial;
    if constexpr (attr_detail::OptionalValue<T>::value) {
      field.default_text = initial.*member ? attr_detail::text_of(*(initial.*member)) : "None";
    } else {
      field.default_text = attr_detail::text_of(initial.*member);
    }
    field.parse = [member](const AttrField& self, std::string_view text, void* object) {
      T& target = static_cast<P*>(object)->*member;
      if constexpr (attr_detail::OptionalValue<T>::value) {
        if (text == "None") {
          target.reset();
          return true;
        }
      }
      Value value = {};
      using attr_detail::parse_attr;
      using mx2onnx::parse_attr;
      if (!parse_attr(text, value) || !attr_detail::fits(self, value)) return false;
      target = std::move(value);
      return true;
    };
    return FieldDeclarer(field);
  }

  /// One of several names; `member` is an enumeration whose values count the names from 0.
  template <typename Enum, typename Base>
  FieldDeclarer one_of(std::string name, Enum Base::*member, std::vector<std::string> names) {
    AttrField& field = add(std::move(name), "one of");
    const P initial;
    field.default_text = names[static_cast<std::size_t>(initial.*member)];
    field.names = std::move(names);
    field.parse = [member](const AttrField& self, std::string_view text, void* object) {
      for (std::size_t i = 0; i < self.names.size(); ++i) {
        if (self.names[i] == text) {
          static_cast<P*>(object)->*member = static_cast<Enum>(i);
          return true;
        }
      }
      return false;
    };
    return FieldDeclarer(field);
  }

  /// An element type by name; for an optional member "None" leaves it empty.
  FieldDeclarer dtype(std::string name, DType P::*member) {
    return add_dtype(std::move(name), member, std::string(dtype_name(P().*member)));
  }
  FieldDeclarer dtype(std::string name, std::optional<DType> P::*member) {
    auto declarer = add_dtype(std::move(name), member, "None");
    fields_.back().optional = true;
    return declarer;
  }

  /// Attributes that MXNet takes and that change nothing at inference.
  void ignore(std::initializer_list<std::string> names) {
    for (const auto& name : names) {
      AttrField& field = add(name, "ignored");
      field.ignored = true;
      field.parse = [](const AttrField&, std::string_view, void*) { return true; };
    }
  }

 private:
  AttrField& add(std::string name, std::string kind) {
    AttrField field;
    field.name = std::move(name);
    field.kind = std::move(kind);
    fields_.push_back(std::move(field));
    return fields_.back();
  }

  template <typename Member>
  FieldDeclarer add_dtype(std::string name, Member member, std::string default_text) {
    AttrField& field = add(std::move(name), "element type");
    field.default_text = std::move(default_text);
    field.parse = [member](const AttrField& self, std::string_view text, void* object) {
      if (self.optional && text == "None") return true;
      const auto dtype = dtype_from_name(text);
      if (!dtype) return false;
      static_cast<P*>(object)->*member = dtype.value();
      return true;
    };
    return FieldDeclarer(field);
  }

  std::vector<AttrField>& fields_;
};

/// The declared attributes of one operator.
class AttrSchema {
 public:
  template <typename P>
  static AttrSchema of() {
    AttrSchema schema;
    AttrDeclarer<P> declarer(schema.fields_);
    P::declare(declarer);
    schema.create_ = [] { return std::static_pointer_cast<void>(std::make_shared<P>()); };
    return schema;
  }

  /// Of an operator of which nothing is known: takes any attributes, and the parameter object is
  /// the mxnet::Attributes themselves.
  static AttrSchema open() {
    AttrSchema schema;
    schema.open_ = true;
    return schema;
  }

  const std::vector<AttrField>& fields() const { return fields_; }
  const AttrField* find(std::string_view name) const;

  /// Parses a node's attribute texts into a fresh parameter object. Hidden attributes (`__shape__`)
  /// are passed over. What is wrong is appended to `problems`, all of it.
  std::shared_ptr<const void> parse(const mxnet::Attributes& attrs,
                                    std::vector<AttrProblem>& problems) const;

 private:
  std::vector<AttrField> fields_;
  std::function<std::shared_ptr<void>()> create_;
  bool open_ = false;
};

/// For operators without attributes.
struct NoParam {
  static void declare(AttrDeclarer<NoParam>& /*d*/) {}
};

}  // namespace mx2onnx
