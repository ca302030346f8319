// How long each step of a conversion takes.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace mx2onnx {

/// Adds the seconds between `begin` and the next one, or the end of its life, to a list; a phase
/// may come again.
class PhaseClock {
 public:
  using Seconds = std::vector<std::pair<std::string, double>>;

  /// `seconds` must outlive the clock.
  explicit PhaseClock(Seconds& seconds) : seconds_(seconds) {}
  PhaseClock(const PhaseClock&) = delete;
  PhaseClock& operator=(const PhaseClock&) = delete;
  ~PhaseClock() { end(); }

  void begin(std::string phase) {
    end();
    phase_ = std::move(phase);
    start_ = std::chrono::steady_clock::now();
  }
  void end() {
    if (phase_.empty()) return;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    const auto known = std::find_if(seconds_.begin(), seconds_.end(),
                                    [&](const auto& entry) { return entry.first == phase_; });
    if (known != seconds_.end()) {
      known->second += passed.count();
    } else {
      seconds_.emplace_back(phase_, passed.count());
    }
    phase_.clear();
  }

 private:
  Seconds& seconds_;
  std::string phase_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace mx2onnx
