#pragma once

#include "fields.h"

#include <map>
#include <string>

namespace unnp {

inline constexpr double max_cutoff = 50.0;

/// The shortest distances [A] in the training data, by "Al-Ni". What is no distance is left out: the summary
/// of the data is for people, and a limit for a warning at most.
std::map<std::string, double> shortest_distances(const Fields& fields);

/// The factors on the deviations of a committee, by "energy" and "forces"; empty where it is not calibrated.
/// Throws Error for anything else.
std::map<std::string, double> deviation_scales(const Fields& fields);

} // namespace unnp
