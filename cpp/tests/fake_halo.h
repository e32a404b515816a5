#pragma once

#include "unnp/halo.h"

#include <vector>

/// A halo within one process: ghost k is an image of row owners[k], and there are `n_ranks` that do the same.
class FakeHalo : public unnp::Halo {
public:
  FakeHalo(std::int64_t n_owned, std::vector<std::int64_t> owners)
      : n_owned_(n_owned), owners_(std::move(owners)) {}

  std::int64_t n_owned() const override { return n_owned_; }
  std::int64_t n_all() const override { return n_owned_ + static_cast<std::int64_t>(owners_.size()); }

  std::vector<std::int64_t> fetched_widths, added_widths, summed_widths;
  double n_ranks = 2.0;

protected:
  void fetch(std::byte* rows, unnp::RowFormat format) override {
    fetched_widths.push_back(format.width);
    each(rows, format, [](double& owner, double& ghost) { ghost = owner; });
  }
  void add(std::byte* rows, unnp::RowFormat format) override {
    added_widths.push_back(format.width);
    each(rows, format, [](double& owner, double& ghost) { owner += ghost; });
  }
  void sum_over_ranks(std::byte* values, unnp::RowFormat format) override {
    summed_widths.push_back(format.width);
    for (std::int64_t k = 0; k < format.width; ++k)
      reinterpret_cast<double*>(values)[k] *= n_ranks;
  }

private:
  template <typename Function>
  void each(std::byte* rows, unnp::RowFormat format, const Function& function) {
    auto* const values = reinterpret_cast<double*>(rows);
    for (std::size_t ghost = 0; ghost < owners_.size(); ++ghost)
      for (std::int64_t k = 0; k < format.width; ++k)
        function(values[owners_[ghost] * format.width + k],
                 values[(n_owned_ + static_cast<std::int64_t>(ghost)) * format.width + k]);
  }

  std::int64_t n_owned_;
  std::vector<std::int64_t> owners_;
};
