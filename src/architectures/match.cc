#include "architectures/match.h"

#include <algorithm>
#include <set>

namespace mx2onnx::architectures {

std::string name_in(Form form, const Architecture& net, const Parameter& parameter) {
  if (form == Form::kStructural) return parameter.key;
  return form == Form::kOld ? parameter.name : net.prefix + parameter.name;
}

bool is_shape_of(const std::vector<std::int64_t>& found, const std::vector<std::int64_t>& own) {
  return std::equal(found.begin(), found.end(), own.begin(), own.end(),
                    [](std::int64_t size, std::int64_t wanted) {
                      return size == wanted || (wanted == 0 && size > 0);
                    });
}

// A parameter with several keys is in the file under any of them, or under all.
Match match(const Architecture& net, const std::vector<Parameter>& layout, Form form,
            const Shapes& arrays) {
  Match result{.net = &net, .form = form};
  std::set<std::string, std::less<>> used;
  std::vector<std::string> found(layout.size());
  for (std::size_t i = 0; i < layout.size(); ++i) {
    std::string name = name_in(form, net, layout[i]);
    const auto array = arrays.find(name);
    if (array == arrays.end()) continue;
    used.insert(name);
    auto& place = found[layout[i].same_as.value_or(i)];
    if (place.empty()) place = std::move(name);
  }
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const Parameter& parameter = layout[i];
    if (parameter.same_as) continue;
    if (found[i].empty()) {
      result.missing.push_back(parameter.key);
      continue;
    }
    if (is_shape_of(arrays.find(found[i])->second, parameter.shape)) {
      ++result.equal;
    } else {
      result.reshaped.push_back(parameter.key);
    }
    result.arrays.emplace(parameter.key, found[i]);
  }
  for (const auto& [name, shape] : arrays) {
    if (used.contains(name)) continue;
    const auto& further = net.further_keys;
    if (std::find(further.begin(), further.end(), name) == further.end())
      result.surplus.push_back(name);
  }
  return result;
}

}  // namespace mx2onnx::architectures
