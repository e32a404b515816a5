#pragma once

#include "unnp/momt/bias.h"

#include <string>

namespace unnp::momt {

/// The most numbers that a bias may consist of: states, hills or bins. All of it is gone through at every
/// step.
constexpr double most_numbers = 1e6;

/// Throws Error with the message where something does not hold.
void require(bool holds, const std::string& message);

/// Throws Error where a bias would consist of more than `most_numbers`; called before anything of that size
/// is made.
void require_size(double size, const std::string& what, const std::string& remedy);

/// Throws Error where an ensemble has an impossible value.
void check(const Ensemble& ensemble);

/// Throws Error where umbrellas or hills do not fit on the axis.
void check_sigma(const OrderAxis& axis);

} // namespace unnp::momt
