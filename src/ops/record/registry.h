// All operators that the program knows, by name. Families register explicitly, in one list.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mxnet/json_upgrade.h"
#include "ops/record/op_def.h"

namespace mx2onnx {

class Registry {
 public:
  /// The registry with every family in it.
  static const Registry& instance();

  /// Adds an operator; the first name is the canonical one.
  template <typename P = NoParam>
  OpDeclarer<P> add(std::vector<std::string> names) {
    OpDef& def = ops_.emplace_back();
    def.names = std::move(names);
    index(def);
    return OpDeclarer<P>(def);
  }

  /// Null if no operator has the name.
  const OpDef* find(std::string_view name) const;
  const std::deque<OpDef>& ops() const { return ops_; }
  std::vector<std::string> all_names() const;

 private:
  void index(const OpDef& def);

  std::deque<OpDef> ops_;
  std::unordered_map<std::string_view, const OpDef*> by_name_;
};

/// The library's operators as they are in a file of one origin.
class OperatorsOf : public mxnet::OperatorSignatures {
 public:
  explicit OperatorsOf(Origin origin) : origin_(origin) {}

  /// Null if no operator has the name.
  const OpDef* find(std::string_view name) const;

  std::vector<std::string> input_names(const std::string& op,
                                       const mxnet::Attributes& attrs) const override;

 private:
  Origin origin_;
};

/// Where a symbol is from.
Origin origin_of(const mxnet::Symbol& symbol);

/// Adds every family; the list is ops/families.cc.
void register_all_families(Registry& registry);

}  // namespace mx2onnx
