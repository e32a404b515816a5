#include "number_types.h"

namespace unnp {

bool keeps_float64(std::string_view name) {
  return name.substr(name.rfind('.') + 1).starts_with("reference");
}

} // namespace unnp
