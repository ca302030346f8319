// mx2onnx convert
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/fewer_bits.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/terminal.h"
#include "cli/text_fit.h"
#include "mx2onnx/lint.h"
#include "mx2onnx/printable.h"

namespace mx2onnx::cli {
namespace {

constexpr const char* kRunOnce = "run";

// Smaller models are written before a line could be read.
constexpr std::uint64_t kSmallestForProgress = 50'000'000;

/// A line on the terminal that follows the writing; nothing if standard error is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(std::string name) : name_(std::move(name)), enabled_(is_terminal()) {}
  ~ProgressLine() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(std::uint64_t done, std::uint64_t total) {
    if (!enabled_ || total < kSmallestForProgress) return;
    const int percent = static_cast<int>(done * 100 / total);
    if (percent == percent_) return;
    percent_ = percent;
    shown_ = true;
    const std::string amount =
        fmt::format(": {} of {} ({} %)", size_text(done), size_text(total), percent);
    // A line that wraps could not be wiped. The cursor needs a column, too.
    constexpr std::string_view kVerb = "writing ";
    const std::size_t columns = screen_size(STDERR_FILENO).columns;
    const std::size_t taken = kVerb.size() + amount.size() + 1;
    const std::string name = shortened(name_, columns > taken ? columns - taken : 1);
    fmt::print(
        stderr, "\r\x1b[K{}",
        shortened(fmt::format("{}{}{}", kVerb, name, amount), columns > 1 ? columns - 1 : 1));
    std::fflush(stderr);
  }

 private:
  std::string name_;
  bool enabled_;
  bool shown_ = false;
  int percent_ = -1;
};

struct ConvertArguments : ModelArguments {
  std::string output;
  std::vector<std::string> renames;
  bool no_optimize = false;
  bool float16 = false;
  bool bfloat16 = false;
  bool quiet = false;
  bool json = false;
  unsigned jobs = 1;
  bool timings = false;
  std::string recording;  // what --verify compares with, kRunOnce for nothing; empty without it
  Preprocessing preprocessing;
  PictureFiles pictures;
};

bool is_set(const Preprocessing& preprocessing) {
  return !(preprocessing.input.empty() && preprocessing.mean.empty() && preprocessing.std.empty() &&
           preprocessing.scale.empty() && preprocessing.layout.empty() &&
           preprocessing.dtype.empty());
}

void declare_preprocessing(CLI::App& command, ConvertOptions& options,
                           Preprocessing& preprocessing) {
  const std::string group = "Preparing the image";
  command
      .add_flag("--prepare", options.prepare,
                "for a parameter file of a known net: take RGB bytes with their\n"
                "channels last, and prepare them as the net was trained; the\n"
                "options below say otherwise")
      ->group(group);
  command
      .add_option("--mean", preprocessing.mean,
                  "subtract this, a value for each channel or one for all")
      ->type_name("V,...")
      ->delimiter(',')
      ->group(group);
  command.add_option("--std", preprocessing.std, "then divide by this")
      ->type_name("V,...")
      ->delimiter(',')
      ->group(group);
  command
      .add_option("--scale", preprocessing.scale,
                  "before both, multiply by this number or fraction (1/255)")
      ->type_name("S")
      ->group(group);
  command
      .add_option("--layout", preprocessing.layout,
                  "NHWC for an image with its channels last (--input still has "
                  "MXNet's order)")
      ->type_name("LAYOUT")
      ->group(group);
  command.add_option("--input-type", preprocessing.dtype, "element type of the image: uint8")
      ->type_name("DTYPE")
      ->group(group);
  command
      .add_option("--image-input", preprocessing.input,
                  "the input that is meant, if several could be the image")
      ->type_name("NAME")
      ->group(group);
}

void print_timings(std::FILE* out, const Report& report) {
  double total = 0;
  for (const auto& [phase, seconds] : report.seconds) {
    fmt::print(out, "{:9}  {:8.3f} s\n", phase, seconds);
    total += seconds;
  }
  fmt::print(out, "{:9}  {:8.3f} s\n", "in all", total);
}

// With the model on standard output the report goes to standard error.
void print_summary(const ConvertArguments& arguments, const Report& report) {
  std::FILE* out = is_standard_output(arguments.output) ? stderr : stdout;
  for (const auto& diagnostic : report.diagnostics) {
    print_warning(fmt::format("{} [{}]", diagnostic.message, diagnostic.id));
  }
  if (arguments.json) {
    fmt::print(out, "{}\n", to_json(report));
    return;
  }
  if (arguments.timings) print_timings(out, report);
  if (arguments.quiet) return;
  fmt::print(out, "{}: opset {}, {} nodes from {}, {} of weights\n",
             is_standard_output(arguments.output) ? "standard output" : printable(arguments.output),
             report.opset, report.num_onnx_nodes, report.num_mxnet_nodes,
             size_text(report.parameter_bytes));
  for (const auto& file : report.weights_in_place)
    fmt::print(out, "  weights in {}, which has to stay where it is\n", printable(file));
  if (!report.output_data.empty())
    fmt::print(out, "  weights in {}\n", printable(report.output_data));
  print_precision(out, report.precision);
  print_stored_weights(out, report.weights);
  for (const auto& port : report.inputs)
    fmt::print(out, "  input  {}: {}\n", printable(port.name), printable(type_text(port)));
  for (const auto& port : report.outputs)
    fmt::print(out, "  output {}: {}\n", printable(port.name), printable(type_text(port)));
}

int run_batch(const ConvertArguments& arguments) {
  if (arguments.timings || !arguments.recording.empty() || arguments.pictures.wanted()) {
    throw Error(
        ErrorCode::kUsage, {},
        "mx2onnx: --timings, --verify and --html are for one model, not for a folder of them",
        "-o FILE");
  }
  std::vector<std::filesystem::path> paths = {arguments.symbol};
  paths.insert(paths.end(), arguments.params.begin(), arguments.params.end());
  Batch batch{group_models(paths), arguments.output, arguments.options,
              arguments.jobs,      arguments.quiet,  arguments.json};
  for (auto& source : batch.sources) {
    source.epoch = arguments.epoch;
    source.unpack_limit = arguments.unpack_limit;
  }
  return convert_batch(batch);
}

// The model is converted once more: who wants no picture does not pay for what it is made of.
void write_pictures(ConvertArguments& arguments) {
  if (!arguments.pictures.wanted()) return;
  arguments.options.progress = {};
  arguments.pictures.write(make_picture(arguments.source(), arguments.options));
}

void add_rename(std::map<std::string, std::string>& renames, const std::string& text) {
  const RenameRule rule = parse_rename("rename", text);
  if (renames.try_emplace(rule.from, rule.to).second) return;
  throw Error(ErrorCode::kUsage, {},
              fmt::format("rename: '{}' is renamed twice", printable(rule.from)), "");
}

int run_convert(ConvertArguments& arguments, const Verifier& verifier) {
  if (!arguments.recording.empty() && !verifier) {
    throw Error(ErrorCode::kUsage, {}, "mx2onnx: --verify is part of the Python package",
                "pip install 'mx2onnx[verify]', then python -m mx2onnx convert … --verify");
  }
  arguments.finish();
  for (const auto& text : arguments.renames) add_rename(arguments.options.rename, text);
  arguments.options.optimize = !arguments.no_optimize;
  if (arguments.float16) arguments.options.precision = "float16";
  if (arguments.bfloat16) arguments.options.precision = "bfloat16";
  if (is_set(arguments.preprocessing)) arguments.options.preprocessing = arguments.preprocessing;
  if (is_folder(arguments.output)) return run_batch(arguments);
  if (is_standard_output(arguments.output)) {
    if (!arguments.recording.empty())
      throw Error(ErrorCode::kUsage, {}, "mx2onnx: --verify needs a file, not -o -", "-o FILE");
    if (arguments.pictures.on_standard_output())
      throw Error(ErrorCode::kUsage, {}, "mx2onnx: -o - and --html - are the same place",
                  "-o FILE");
    print_summary(arguments, convert_to_standard_output(arguments.source(), arguments.options));
    write_pictures(arguments);
    return 0;
  }
  Report report;
  {
    ProgressLine line(arguments.output);
    arguments.options.progress = [&](std::uint64_t done, std::uint64_t total) {
      line.update(done, total);
    };
    report = convert_to_file(arguments.source(), arguments.output, arguments.options);
  }
  print_summary(arguments, report);
  write_pictures(arguments);
  if (arguments.recording.empty()) return 0;
  std::fflush(stdout);
  const std::string recording = arguments.recording == kRunOnce ? "" : arguments.recording;
  return verifier(arguments.output, recording, report.symbol_file);
}

std::string pass_list() {
  std::string text;
  for (const auto& name : pass_names()) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string target_list() {
  std::string text;
  for (const auto& runtime : lint_runtimes()) text += (text.empty() ? "" : ", ") + runtime.name;
  return text;
}

}  // namespace

void add_convert_command(CLI::App& app, Run& run, const Verifier& verifier) {
  const auto arguments = std::make_shared<ConvertArguments>();
  CLI::App& command = *app.add_subcommand("convert", "Convert a model");
  command.footer(
      "Examples:\n"
      "  mx2onnx convert resnet-symbol.json resnet-0000.params -o resnet.onnx\n"
      "  mx2onnx convert resnet-symbol.json resnet-0000.params -o resnet.onnx --input "
      "data:batch,3,224,224\n"
      "  mx2onnx convert lstm-symbol.json arg.params aux.params -o lstm.onnx --opset 14\n"
      "  mx2onnx convert resnet-symbol.json resnet-0000.params -o features.onnx --outputs "
      "flatten0_output\n"
      "  mx2onnx convert yolo-symbol.json yolo-0000.params -o yolo.onnx --input data:1,3,H,W "
      "--input-type uint8 --layout NHWC --scale 1/255 --mean 0.485,0.456,0.406 --std "
      "0.229,0.224,0.225\n"
      "  mx2onnx convert model.tar.gz -o model.onnx\n"
      "  mx2onnx convert ~/.mxnet/models/resnet50_v1-0aee57f9.params -o resnet.onnx --prepare\n"
      "  mx2onnx convert checkpoints/resnet --epoch 12 -o resnet.onnx\n"
      "  mx2onnx convert zoo/*-symbol.json archives/*.mar -o onnx/ --jobs 4\n"
      "  mx2onnx convert net-symbol.json --random-weights -o net.onnx --batch 1");
  arguments->declare(command);
  command
      .add_option("-o,--output", arguments->output,
                  "the ONNX file to write; - for standard output; FOLDER/ for any\n"
                  "number of models, each as FOLDER/NAME.onnx")
      ->required()
      ->type_name("FILE");
  command.add_option("--jobs", arguments->jobs, "of several models convert N side by side")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  command
      .add_option("--rename", arguments->renames,
                  "give the input or output OLD the name NEW in the ONNX model")
      ->type_name("OLD=NEW")
      ->allow_extra_args(false);
  declare_preprocessing(command, arguments->options, arguments->preprocessing);
  command.add_flag("--random-weights", arguments->options.random_weights,
                   "fill parameters that no file has with random numbers, always the same");
  command.add_flag("--no-dropout", arguments->options.no_dropout,
                   "take a Dropout of mode=always, which drops at inference too, for a plain one");
  command
      .add_option("--quantized-form", arguments->options.quantized_form,
                  "how to write layers that MXNet quantised: qdq (float operators between "
                  "QuantizeLinear and DequantizeLinear), qlinear (operators on integers) or float "
                  "(nothing is rounded)")
      ->type_name("FORM");
  command
      .add_option("--target", arguments->options.targets,
                  "the runtime that the model is for, or several: decides the opset, fixes sizes "
                  "where that helps it, spells otherwise what it gets wrong, and warns of what "
                  "remains; " +
                      target_list())
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_flag("--no-optimize", arguments->no_optimize, "leave out all optimisation passes");
  command
      .add_option("--disable-pass", arguments->options.disabled_passes,
                  "leave out one optimisation pass; the passes are " + pass_list())
      ->type_name("NAME")
      ->allow_extra_args(false);
  command.add_flag("--external-data", arguments->options.external_data,
                   "write the weights to FILE.data beside the model (FILE.1.data\n"
                   "where that is the old model's; always above 2 GB)");
  command.add_flag("--weights-in-place", arguments->options.weights_in_place,
                   "do not copy weights: refer to the parameter file, which has to lie in\n"
                   "the model's folder, or below, and to stay there");
  declare_precision(command, arguments->options, arguments->float16, arguments->bfloat16);
  declare_stored_weights(command, arguments->options);
  arguments->pictures.declare_html(command);
  command.add_flag("-q,--quiet", arguments->quiet, "say nothing but warnings and errors");
  command.add_flag("--json", arguments->json,
                   "print the report as JSON, and a failure, too (on standard output)");
  command.add_flag("--timings", arguments->timings, "print the seconds that each step took");
  command
      .add_flag(fmt::format("--verify{{{}}}", kRunOnce), arguments->recording,
                "compare the numbers with those of a recording (FILE.npz, from mx2onnx record); "
                "without one, run the model once, to know that it loads and runs")
      ->type_name("[FILE.npz]");
  command.callback([arguments, &run, &verifier] {
    run = [arguments, &verifier] { return run_convert(*arguments, verifier); };
  });
}

}  // namespace mx2onnx::cli
