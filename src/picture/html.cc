// A picture as a page: data/viewer.html with the model in it.
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/output_file.h"
#include "mx2onnx/picture.h"
#include "picture/document.h"
#include "picture/viewer.h"

namespace mx2onnx {
namespace {

// Where the page has the model, in a script that is data and not run.
constexpr std::string_view kPlace = "@model@";

// Whatever a name has in it, it ends no script and begins no comment: as JSON the letters that
// markup is made of can be written in another way.
std::string without_markup(std::string_view json) {
  std::string result;
  result.reserve(json.size());
  for (const char letter : json) {
    switch (letter) {
      case '<':
        result += "\\u003c";
        break;
      case '>':
        result += "\\u003e";
        break;
      case '&':
        result += "\\u0026";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

}  // namespace

std::string to_html(const Picture& picture) {
  const auto page = picture::viewer_page();
  const std::string_view text(reinterpret_cast<const char*>(page.data()), page.size());
  const auto place = text.find(kPlace);
  require(place != std::string_view::npos, "the page has no place for the model");
  std::string result(text.substr(0, place));
  result += without_markup(json_line(picture::document(picture)));
  result += text.substr(place + kPlace.size());
  return result;
}

void write_document(const std::string& text, const std::filesystem::path& output) {
  OutputFile file(output.native());
  file.append(std::as_bytes(std::span(text.data(), text.size())));
  file.commit();
}

}  // namespace mx2onnx
