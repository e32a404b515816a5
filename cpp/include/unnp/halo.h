#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace unnp {

enum class Scalar { float32, float64 };

constexpr std::size_t size_of(Scalar scalar) {
  return scalar == Scalar::float32 ? 4 : 8;
}

/// Number type and count of the features of one atom.
struct RowFormat {
  Scalar scalar = Scalar::float64;
  std::int64_t width = 0;

  std::size_t bytes() const { return static_cast<std::size_t>(width) * size_of(scalar); }
};

/// Carries features between the owner of an atom and its ghosts on other ranks, and sums over all ranks.
///
/// Collective: every rank has to make the same calls in the same order. In a pass (one evaluation of a model)
/// the halo notes each forward exchange and sum, so that a rank whose part of the graph has no gradient still
/// takes part in every one of the reverse half, with zeros: see begin_reverse and end_backward.
class Halo {
public:
  Halo() = default;
  Halo(const Halo&) = delete;
  Halo& operator=(const Halo&) = delete;
  virtual ~Halo() = default;

  /// Fills the ghost rows of (n_all, width) from their owners' rows.
  void forward(void* rows, RowFormat format);
  /// Adds the ghost rows of (n_all, width) onto their owners' rows; the ghost rows are undefined afterwards.
  void reverse(void* rows, RowFormat format);

  /// Adds up `format.width` numbers over all ranks, which all get the sum.
  void sum(void* values, RowFormat format);
  /// The same for the gradients of a sum: it is its own transpose.
  void reverse_sum(void* values, RowFormat format);

  /// Starts the forward half of an evaluation.
  void begin_pass();
  /// Starts a backward half; may be called several times for one forward half.
  void begin_backward();
  /// Makes this rank take part in what reverses the later exchanges and sums, which its graph did not reach.
  void begin_reverse(std::int64_t noted);
  /// As begin_reverse, for all that remain; ends the backward half.
  void end_backward();
  /// Ends the pass.
  void end_pass();

  /// Number of the latest forward exchange or sum of this pass, -1 outside of a pass.
  std::int64_t latest() const;
  /// Wall time spent communicating so far [s].
  double seconds() const { return seconds_; }
  void reset_seconds() { seconds_ = 0.0; }

  virtual std::int64_t n_owned() const = 0;
  virtual std::int64_t n_all() const = 0;

protected:
  virtual void fetch(std::byte* rows, RowFormat format) = 0;
  virtual void add(std::byte* rows, RowFormat format) = 0;
  virtual void sum_over_ranks(std::byte* values, RowFormat format) = 0;

private:
  struct Noted {
    bool is_sum = false;
    RowFormat format;
  };

  void reverse_zeros_down_to(std::int64_t noted);
  void note(Noted noted);

  std::vector<Noted> noted_;
  std::int64_t next_reverse_ = -1;
  bool in_pass_ = false;
  bool in_backward_ = false;
  double seconds_ = 0.0;
};

/// Makes a halo known to the exchange op for as long as the registration lives.
class HaloRegistration {
public:
  explicit HaloRegistration(Halo& halo);
  HaloRegistration(const HaloRegistration&) = delete;
  HaloRegistration& operator=(const HaloRegistration&) = delete;
  ~HaloRegistration();

  std::int64_t handle() const { return handle_; }

private:
  std::int64_t handle_;
};

/// The halo of a handle; throws Error where it is not (or no longer) registered.
Halo& find_halo(std::int64_t handle);

} // namespace unnp
