// What the shared library shows. All else is hidden: it may change from one version to the next.
#pragma once

/// Before public functions, and before classes that are thrown or derived from. It is the same for
/// the static library, so that both are made of the same objects.
#define MX2ONNX_EXPORT __attribute__((visibility("default")))
