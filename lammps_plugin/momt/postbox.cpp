// SPDX-License-Identifier: GPL-2.0-only
#include "postbox.h"

#include "lammps.h"
#include "universe.h"

#include <chrono>
#include <list>
#include <thread>
#include <type_traits>

namespace unnp_lammps::momt {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_loading(10); // for a partition to load the plugin, if it does at all
constexpr int tag = 27011;                          // no other part of LAMMPS uses it
static_assert(std::is_trivially_copyable_v<Message>);

// Of the attribute of MPI communicators that holds a postbox.
int key() {
  static const int created = [] {
    // MPI calls this where the communicator of a partition is freed, with LAMMPS, and at the start of
    // MPI_Finalize, which `quit` reaches without destroying anything.
    const auto close = [](MPI_Comm, int, void* postbox, void*) {
      static_cast<Postbox*>(postbox)->close();
      return MPI_SUCCESS;
    };
    int value = MPI_KEYVAL_INVALID;
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, close, &value, nullptr);
    return value;
  }();
  return created;
}

Postbox* find(const LAMMPS_NS::LAMMPS& lammps) {
  void* postbox = nullptr;
  int found = 0;
  MPI_Comm_get_attr(lammps.world, key(), &postbox, &found);
  return found ? static_cast<Postbox*>(postbox) : nullptr;
}

} // namespace

// In the communicator that LAMMPS was given, as its own one may be gone when MPI ends.
Postbox::Postbox(const LAMMPS_NS::LAMMPS& lammps) : universe_(lammps.universe->uorig) {
  const auto& universe = *lammps.universe;
  for (int walker = 0; walker < universe.nworlds; ++walker)
    ranks_.push_back(universe.uni2orig[universe.root_proc[walker]]);
  own_ = universe.iworld;
  heard_.assign(ranks_.size(), 0);
}

void Postbox::open(const LAMMPS_NS::LAMMPS& lammps) {
  const auto& universe = *lammps.universe;
  if (universe.nworlds == 1 || universe.root_proc[universe.iworld] != universe.me || find(lammps))
    return;
  static std::list<Postbox> all; // for MPI_Finalize, after LAMMPS
  auto* const postbox = &all.emplace_back(lammps);
  for (MPI_Comm communicator : {lammps.world, MPI_COMM_SELF})
    MPI_Comm_set_attr(communicator, key(), postbox);
  postbox->send_to_all({.kind = Message::here});
}

Postbox& Postbox::of(const LAMMPS_NS::LAMMPS& lammps) {
  return *find(lammps);
}

// So short a message is on its way at once, whether or not anybody waits for it.
void Postbox::send_to_all(const Message& message) const {
  for (int walker = 0; walker < n_walkers(); ++walker)
    if (walker != own_)
      MPI_Send(&message, sizeof(message), MPI_BYTE, ranks_[walker], tag, universe_);
}

Message Postbox::receive(int walker, const std::function<void(double)>& wait) {
  const auto start = Clock::now();
  auto next_look = start + std::chrono::seconds(1);
  Message message;
  MPI_Request request;
  MPI_Irecv(&message, sizeof(message), MPI_BYTE, ranks_[walker], tag, universe_, &request);
  for (int arrived = 0; !arrived;) {
    MPI_Test(&request, &arrived, MPI_STATUS_IGNORE);
    if (arrived || Clock::now() < next_look) {
      std::this_thread::yield(); // the other may need this core
      continue;
    }
    next_look += std::chrono::seconds(1);
    try {
      wait(std::chrono::duration<double>(Clock::now() - start).count());
    } catch (...) {
      MPI_Cancel(&request);
      MPI_Request_free(&request);
      throw;
    }
  }
  heard_[walker] = 1;
  return message;
}

bool Postbox::is_here(int walker) const {
  int arrived = heard_[walker];
  const auto start = Clock::now();
  while (!arrived && Clock::now() < start + longest_loading) {
    MPI_Iprobe(ranks_[walker], tag, universe_, &arrived, MPI_STATUS_IGNORE);
    std::this_thread::yield();
  }
  return arrived != 0;
}

// MPI ends in an error where messages have not been received.
void Postbox::close() {
  if (closed_)
    return;
  closed_ = true;
  send_to_all({.kind = Message::ended});
  for (int walker = 0; walker < n_walkers(); ++walker)
    if (walker != own_ && is_here(walker))
      while (receive(walker, [](double) {}).kind != Message::ended)
        continue;
}

} // namespace unnp_lammps::momt
