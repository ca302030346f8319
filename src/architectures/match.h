// A net against a file: which array is which parameter, and what does not fit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "architectures/catalogue.h"
#include "architectures/recognise.h"

namespace mx2onnx::architectures {

struct Match {
  const Architecture* net = nullptr;
  Form form = Form::kStructural;
  std::size_t equal = 0;                      ///< Parameters that are there with the net's shape.
  std::vector<std::string> reshaped;          ///< Keys of those with another one.
  std::vector<std::string> missing;           ///< Keys of which no array is in the file.
  std::vector<std::string> surplus;           ///< Arrays of the file that the net does not have.
  std::map<std::string, std::string> arrays;  ///< The file's names, by the graph's variable.

  bool has_all() const { return missing.empty() && surplus.empty(); }
  bool is_exact() const { return has_all() && reshaped.empty(); }
};

/// The name of a parameter in a file of this form.
std::string name_in(Form form, const Architecture& net, const Parameter& parameter);

/// A file's shape is a parameter's, whose sizes of 0 are any.
bool is_shape_of(const std::vector<std::int64_t>& found, const std::vector<std::int64_t>& own);

Match match(const Architecture& net, const std::vector<Parameter>& layout, Form form,
            const Shapes& arrays);

}  // namespace mx2onnx::architectures
