// SPDX-License-Identifier: GPL-2.0-only
#include "order_parameter.h"

#include "unnp/error.h"

#include <map>
#include <vector>

namespace unnp_lammps::momt {

namespace {

using Table = std::map<std::string, OrderStyle>;

// Made by the first style that is added, in whatever order the files of the order parameters begin.
Table& table() {
  static Table styles;
  return styles;
}

const OrderStyle none("none", [](unnp::momt::Words&) { return MakeOrder(); });

} // namespace

OrderStyle::OrderStyle(std::string name_, MakeOrder (*read_)(unnp::momt::Words&))
    : name(std::move(name_)), read(read_) {
  table().emplace(name, *this);
}

MakeOrder read_order(unnp::momt::Words& words) {
  const auto name = words.kind();
  const auto found = table().find(name);
  if (found != table().end())
    return found->second.read(words);
  std::vector<std::string> names;
  for (const auto& [known, style] : table())
    names.push_back(known);
  throw unnp::Error("there is no order parameter '" + name + "'; there are " + unnp::join(names) + "." +
                    unnp::did_you_mean(name, names));
}

} // namespace unnp_lammps::momt
