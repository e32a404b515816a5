// SPDX-License-Identifier: GPL-2.0-only
// Restart files hold the words of `pair_style` and `pair_coeff`; the model stays in its own file.
#include "agreement.h"
#include "pair_unnp.h"

#include "comm.h"
#include "error.h"

using namespace LAMMPS_NS;

namespace {

void write_words(FILE* file, const std::vector<std::string>& words) {
  const auto n_words = static_cast<int>(words.size());
  fwrite(&n_words, sizeof(int), 1, file);
  for (const auto& word : words) {
    const auto length = static_cast<int>(word.size());
    fwrite(&length, sizeof(int), 1, file);
    fwrite(word.data(), 1, word.size(), file);
  }
}

int read_count(FILE* file, LAMMPS* lmp, Error* error, MPI_Comm world, bool reads) {
  int count = 0;
  if (reads)
    utils::sfread(FLERR, &count, sizeof(int), 1, file, nullptr, error);
  MPI_Bcast(&count, 1, MPI_INT, 0, world);
  constexpr int most = 1'000'000;
  if (count < 0 || count > most)
    error->all(FLERR,
               "pair_style unnp: the restart file is damaged, or was not written with pair_style unnp");
  return count;
}

std::vector<std::string> read_words(FILE* file, LAMMPS* lmp, Error* error, MPI_Comm world, bool reads) {
  std::vector<std::string> words(read_count(file, lmp, error, world, reads));
  for (auto& word : words) {
    word.resize(read_count(file, lmp, error, world, reads));
    if (reads)
      utils::sfread(FLERR, word.data(), 1, word.size(), file, nullptr, error);
    MPI_Bcast(word.data(), static_cast<int>(word.size()), MPI_CHAR, 0, world);
  }
  return words;
}

} // namespace

void PairUnnp::write_restart_settings(FILE* file) {
  write_words(file, settings_words_);
}

void PairUnnp::read_restart_settings(FILE* file) {
  apply_settings(read_words(file, lmp, error, world, comm->me == 0));
}

void PairUnnp::write_restart(FILE* file) {
  write_restart_settings(file);
  write_words(file, coeff_words_);
}

void PairUnnp::read_restart(FILE* file) {
  read_restart_settings(file);
  coeff_words_ = read_words(file, lmp, error, world, comm->me == 0);
  const auto problem = unnp_lammps::agree(world, [this] { load_model(); });
  if (problem.empty()) {
    allocate();
  } else if (comm->me == 0) {
    error->warning(
        FLERR,
        "pair_style unnp: the model named in the restart file cannot be used, give pair_coeff again: {}",
        problem);
  }
}
