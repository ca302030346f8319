// The parts of the module, a file each.
#pragma once

#include <nanobind/nanobind.h>

void bind_custom_operator(nanobind::module_& m);
void bind_lint(nanobind::module_& m);
