#pragma once

#include "fields.h"

#include <string>
#include <vector>

namespace unnp {

/// Fails where the list is empty, or holds what is no chemical symbol or a symbol twice.
void check_elements(const Fields& fields, const std::vector<std::string>& elements);

} // namespace unnp
