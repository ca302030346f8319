// convert_model SYMBOL PARAMS OUTPUT INPUT: the smallest use of the C++ library.
#include <mx2onnx/convert.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: convert_model SYMBOL PARAMS OUTPUT INPUT\n";
    return 2;
  }
  try {
    mx2onnx::ConvertOptions options;
    options.inputs.push_back(mx2onnx::parse_input(argv[4]));
    const mx2onnx::Report report = mx2onnx::convert_files(argv[1], {argv[2]}, argv[3], options);
    for (const auto& output : report.outputs) std::cout << output.name << "\n";
  } catch (const mx2onnx::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
