// SPDX-License-Identifier: GPL-2.0-only
#include "walkers.h"

#include "agreement.h"

#include "unnp/error.h"

#include "comm.h"
#include "error.h"
#include "universe.h"

#include <functional>

namespace unnp_lammps::momt {

namespace {

constexpr double patience = 30.0;       // [s] before a line says for whom a walker waits
constexpr double longest_wait = 3600.0; // [s] for another walker to begin the same run

constexpr const char* remedy =
    " Walkers that share a bias have to define the fix in all partitions and to run the same steps; give  "
    "walkers alone  for separate biases.";

std::string name(int walker) {
  return "walker " + std::to_string(walker) + " (partition " + std::to_string(walker + 1) + " of LAMMPS)";
}

} // namespace

Walkers::Walkers(LAMMPS_NS::LAMMPS* lmp, bool shared) : Pointers(lmp) {
  if (!shared || universe->nworlds == 1)
    return;
  static std::int64_t memberships = 0; // alike in all walkers, as each joins and leaves with the others
  membership_ = ++memberships;
  n_walkers_ = universe->nworlds;
  if (comm->me == 0)
    postbox_ = &Postbox::of(*lmp);
}

Walkers::~Walkers() {
  send({.kind = Message::left});
}

bool Walkers::writes() const {
  return comm->me == 0 && (n_walkers_ == 1 || universe->iworld == 0);
}

void Walkers::send(Message message) const {
  if (!postbox_)
    return;
  message.membership = membership_;
  postbox_->send_to_all(message);
}

void Walkers::stop_early(std::int64_t step) const {
  send({.kind = Message::stopped, .step = step});
}

// Skipped are what a walker said when it belonged to an earlier fix, and, where a run begins, that an earlier
// run ended early, as it did here.
Message Walkers::next(int walker, bool begins) const {
  bool said = false;
  const auto wait = [&](double seconds) {
    if (seconds > patience && !said)
      LAMMPS_NS::utils::logmesg(lmp, "fix momt: waiting for {}{}\n", name(walker),
                                begins ? " to begin the same run" : "");
    said = said || seconds > patience;
    if (begins && seconds > longest_wait)
      throw unnp::Error(name(walker) + " has not begun the same run within an hour." + remedy);
  };
  while (true) {
    const auto message = postbox_->receive(walker, wait);
    const bool earlier = message.kind != Message::ended && message.membership < membership_; // or `here`
    if (!earlier && !(begins && message.kind == Message::stopped))
      return message;
  }
}

std::string Walkers::explain(int walker, const Message& message, bool begins) const {
  switch (message.kind) {
  case Message::begins:
    return name(walker) + " has begun another run, while this one goes on." + remedy;
  case Message::sample:
    return name(walker) + " goes on with a run, while this one begins another." + remedy;
  case Message::stopped:
    return name(walker) + " has ended its run early, at step " + std::to_string(message.step) +
           " (timer timeout, fix halt), while this one goes on; give all of them the same timer, or end "
           "their "
           "runs together." +
           remedy;
  case Message::left:
    return name(walker) +
           " no longer has the fix (unfix, clear, the end of its input, or runs left out after timer "
           "timeout)" +
           (begins ? "." : ", while this one goes on.") + remedy;
  case Message::here:
  case Message::ended:
    break;
  }
  return name(walker) + " has ended LAMMPS (quit, or the end of its input)" +
         (begins ? " without this run." : ", while this one goes on.") + remedy;
}

void Walkers::require_same(const std::string& text) const {
  if (n_walkers_ == 1)
    return;
  const auto problem = agree(world, [&] {
    if (!postbox_)
      return;
    const std::uint64_t hash = std::hash<std::string>{}(text);
    send({.kind = Message::begins, .hash = hash});
    for (int walker = 0; walker < n_walkers_; ++walker) {
      if (walker == universe->iworld)
        continue;
      const auto message = next(walker, true);
      if (message.kind != Message::begins)
        throw unnp::Error(explain(walker, message, true));
      if (message.hash != hash)
        throw unnp::Error(
            "the walkers share one bias, but have been given different settings, numbers of atoms or of "
            "steps, or come from different states (" +
            name(walker) + " and this one); make them alike, or give  walkers alone.");
    }
  });
  if (!problem.empty())
    throw unnp::Error(problem);
}

void Walkers::exchange_samples(const Message& own, std::vector<Message>& all) const {
  send(own);
  for (int walker = 0; walker < n_walkers_; ++walker) {
    if (walker == universe->iworld) {
      all[walker] = own;
      continue;
    }
    all[walker] = next(walker, false);
    if (all[walker].kind != Message::sample)
      throw unnp::Error(explain(walker, all[walker], false));
    if (all[walker].step != own.step)
      throw unnp::Error("walkers that share a bias are at different steps (this one at " +
                        std::to_string(own.step) + ", " + name(walker) + " at " +
                        std::to_string(all[walker].step) + "); run all of them for the same steps.");
  }
}

Walkers::Gathered Walkers::gather(std::int64_t step, const unnp::momt::Sample& mine, std::int64_t passages,
                                  bool wants_stop) {
  if (n_walkers_ == 1)
    return {{mine}, passages, false};
  std::vector<Message> all(static_cast<std::size_t>(n_walkers_));
  const auto problem = agree(world, [&] {
    if (postbox_)
      exchange_samples({.kind = Message::sample,
                        .step = step,
                        .numbers = {mine.enthalpy, mine.order, mine.bias, static_cast<double>(passages)},
                        .wants_stop = wants_stop},
                       all);
  });
  if (!problem.empty())
    throw unnp::Error(problem);
  MPI_Bcast(all.data(), static_cast<int>(all.size() * sizeof(Message)), MPI_BYTE, 0, world);
  Gathered gathered;
  for (const auto& message : all) {
    gathered.samples.push_back({message.numbers[0], message.numbers[1], message.numbers[2]});
    gathered.passages += static_cast<std::int64_t>(message.numbers[3]);
    gathered.stop = gathered.stop || message.wants_stop;
  }
  return gathered;
}

} // namespace unnp_lammps::momt
