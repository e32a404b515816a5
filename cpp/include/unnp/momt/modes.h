#pragma once

#include "unnp/momt/bias.h"
#include "unnp/momt/words.h"

#include <memory>
#include <string>
#include <vector>

namespace unnp::momt {

/// A way in which the bias is made and learns: its settings with their defaults, and the keywords that
/// change them.
class Mode {
public:
  virtual ~Mode() = default;

  virtual std::string name() const = 0;
  virtual std::vector<std::string> keywords() const = 0;

  /// Takes the values of a keyword and returns true, where it is one of these; throws Error.
  virtual bool read(const std::string& keyword, Words& words) = 0;

  /// Throws Error where a setting has an impossible value, or would make the bias too large.
  virtual std::unique_ptr<Bias> make_bias(const Ensemble& ensemble) const = 0;
};

/// All modes, of which one is chosen. Keywords may come before the choice, and those that only the others
/// have do no harm.
class Modes {
public:
  /// With the defaults of each; the first one is chosen.
  Modes();

  /// Throws Error for a name that no mode has.
  void choose(const std::string& name);
  const Mode& chosen() const { return *modes_[chosen_]; }

  /// The keywords of all modes, each once.
  std::vector<std::string> keywords() const;

  /// Takes the values of a keyword, for all modes that have it; they take the same ones. Returns whether
  /// there is such a mode.
  bool read(const std::string& keyword, Words& words);

private:
  std::vector<std::unique_ptr<Mode>> modes_;
  std::size_t chosen_ = 0;
};

} // namespace unnp::momt
