#include <CLI/CLI.hpp>
#include <iostream>
#include "mx2onnx/convert.h"
int main(int argc, char** argv) {
  CLI::App app("mx2onnx"); app.require_subcommand(1);
  auto* c = app.add_subcommand("convert");
  std::string symbol, out; std::vector<std::string> params, inputs; mx2onnx::ConvertOptions o; bool no_opt=false;
  c->add_option("symbol", symbol)->required(); c->add_option("params", params);
  c->add_option("-o", out)->required(); c->add_option("--input", inputs)->take_all()->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll); c->add_option("--opset", o.opset);
  c->add_flag("--no-optimize", no_opt); c->add_flag("--external-data", o.external_data); c->add_flag("--random-weights", o.random_weights); c->add_option("--rename-param", o.rename_params);
  CLI11_PARSE(app, argc, argv);
  try { for (auto& i : inputs) o.inputs.push_back(mx2onnx::parse_input(i)); o.optimize = !no_opt;
    auto r = mx2onnx::convert_files(symbol, params, out, o);
    for (auto& d : r.diagnostics) std::cerr << d.id << " " << d.message << "\n";
  } catch (const mx2onnx::Error& e) { std::cerr << e.what() << "\n"; return (int)e.code(); }
}
