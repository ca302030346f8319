#include "cli/application.h"

int main(int argc, char** argv) { return mx2onnx::cli::run_command_line(argc, argv); }
