// SPDX-License-Identifier: GPL-2.0-only
#include "momt/fix_momt.h"
#include "momt/postbox.h"
#include "pair_unnp.h"
#include "plugin_api.h"

#include "error.h"
#include "lammps.h"
#include "library.h"

#include <malloc.h>

using namespace LAMMPS_NS;

namespace {

// glibc gives large tensors back to the kernel and has them faulted in again at every step; keep them
// instead.
void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

void check_lammps_version(LAMMPS* lmp) {
  const int running = lammps_version(lmp);
  if (running != UNNP_LAMMPS_NUMBER)
    lmp->error->all(FLERR,
                    "unnp: the plugin was built for LAMMPS " UNNP_LAMMPS_VERSION
                    " ({}), but this is LAMMPS {} ({}). Build unnp again with the headers of this LAMMPS.",
                    UNNP_LAMMPS_NUMBER, lmp->version, running);
}

// The styles are created, and the versions compared, only when an input asks for them: LAMMPS loads this
// plugin for every run of an environment it is installed in.
template <typename Style>
void* create_pair(void* lmp) {
  check_lammps_version(static_cast<LAMMPS*>(lmp));
  keep_freed_memory();
  return static_cast<Pair*>(new Style(static_cast<LAMMPS*>(lmp)));
}

template <typename Style>
void* create_fix(void* lmp, int narg, char** arg) {
  check_lammps_version(static_cast<LAMMPS*>(lmp));
  return static_cast<Fix*>(new Style(static_cast<LAMMPS*>(lmp), narg, arg));
}

struct PairStyle {
  const char* name;
  const char* info;
  lammpsplugin_factory1* create;
};

constexpr PairStyle pair_styles[] = {
    {"unnp", "universal neural-network potentials", create_pair<PairUnnp>},
};

struct FixStyle {
  const char* name;
  const char* info;
  lammpsplugin_factory2* create;
};

constexpr FixStyle fix_styles[] = {
    {"momt", "multi-order multi-thermal sampling", create_fix<FixMomt>},
};

lammpsplugin_t description(const char* kind, const char* name, const char* info, void* lmp, void* handle) {
  lammpsplugin_t plugin{};
  plugin.version = static_cast<LAMMPS*>(lmp)->version;
  plugin.style = kind;
  plugin.name = name;
  plugin.info = info;
  plugin.author = "the unnp developers";
  plugin.handle = handle;
  return plugin;
}

} // namespace

extern "C" void lammpsplugin_init(void* lmp, void* handle, void* regfunc) {
  unnp_lammps::momt::Postbox::open(*static_cast<LAMMPS*>(lmp));
  const auto add = reinterpret_cast<lammpsplugin_regfunc>(regfunc);
  for (const auto& style : pair_styles) {
    auto plugin = description("pair", style.name, style.info, lmp, handle);
    plugin.creator.v1 = style.create;
    add(&plugin, lmp);
  }
  for (const auto& style : fix_styles) {
    auto plugin = description("fix", style.name, style.info, lmp, handle);
    plugin.creator.v2 = style.create;
    add(&plugin, lmp);
  }
}
