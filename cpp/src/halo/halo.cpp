#include "unnp/halo.h"

#include "unnp/error.h"

#include <chrono>
#include <map>
#include <mutex>

namespace unnp {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One registry for the process, not per thread: autograd may run backward on another thread than forward.
struct Registry {
  std::mutex mutex;
  std::map<std::int64_t, Halo*> halos;
  std::int64_t next_handle = 1;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

} // namespace

void Halo::forward(void* rows, RowFormat format) {
  const auto start = Clock::now();
  fetch(static_cast<std::byte*>(rows), format);
  note({false, format});
  seconds_ += seconds_since(start);
}

void Halo::reverse(void* rows, RowFormat format) {
  const auto start = Clock::now();
  add(static_cast<std::byte*>(rows), format);
  if (in_backward_)
    --next_reverse_;
  seconds_ += seconds_since(start);
}

void Halo::sum(void* values, RowFormat format) {
  const auto start = Clock::now();
  sum_over_ranks(static_cast<std::byte*>(values), format);
  note({true, format});
  seconds_ += seconds_since(start);
}

void Halo::reverse_sum(void* values, RowFormat format) {
  const auto start = Clock::now();
  sum_over_ranks(static_cast<std::byte*>(values), format);
  if (in_backward_)
    --next_reverse_;
  seconds_ += seconds_since(start);
}

void Halo::note(Noted noted) {
  if (in_pass_)
    noted_.push_back(noted);
}

void Halo::begin_pass() {
  noted_.clear();
  in_pass_ = true;
}

void Halo::begin_backward() {
  in_backward_ = true;
  next_reverse_ = latest();
}

void Halo::begin_reverse(std::int64_t noted) {
  if (in_backward_ && noted >= 0)
    reverse_zeros_down_to(noted);
}

void Halo::end_backward() {
  if (in_backward_)
    reverse_zeros_down_to(-1);
  in_backward_ = false;
}

void Halo::reverse_zeros_down_to(std::int64_t noted) {
  std::vector<std::byte> zeros;
  while (next_reverse_ > noted) {
    const auto [is_sum, format] = noted_[static_cast<std::size_t>(next_reverse_)];
    const auto n_rows = is_sum ? 1 : static_cast<std::size_t>(n_all());
    zeros.assign(n_rows * format.bytes(), std::byte{0});
    if (is_sum)
      reverse_sum(zeros.data(), format);
    else
      reverse(zeros.data(), format);
  }
}

void Halo::end_pass() {
  in_pass_ = false;
  in_backward_ = false;
}

std::int64_t Halo::latest() const {
  return in_pass_ ? static_cast<std::int64_t>(noted_.size()) - 1 : -1;
}

HaloRegistration::HaloRegistration(Halo& halo) : handle_(0) {
  const std::lock_guard lock(registry().mutex);
  handle_ = registry().next_handle++;
  registry().halos.emplace(handle_, &halo);
}

HaloRegistration::~HaloRegistration() {
  const std::lock_guard lock(registry().mutex);
  registry().halos.erase(handle_);
}

Halo& find_halo(std::int64_t handle) {
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().halos.find(handle);
  if (found == registry().halos.end())
    throw Error("there is no halo with handle " + std::to_string(handle) +
                "; outside of LAMMPS pass halo = 0.");
  return *found->second;
}

} // namespace unnp
