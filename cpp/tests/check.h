#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

// A few lines instead of a framework, so that the tests build wherever the library does.

namespace check {

struct Case {
  const char* name;
  std::function<void()> run;
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

struct Registration {
  Registration(const char* name, std::function<void()> run) { cases().push_back({name, std::move(run)}); }
};

[[noreturn]] inline void fail(const std::string& what, const char* file, int line) {
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

/// The message of the exception that `action` throws, or a failure where it throws none.
template <typename Exception>
std::string message_of(const std::function<void()>& action, const char* file, int line) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  fail("nothing was thrown", file, line);
}

} // namespace check

#define TEST(name)                                                                                           \
  static void name();                                                                                        \
  static const check::Registration name##_registration(#name, name);                                         \
  static void name()

#define CHECK(condition)                                                                                     \
  if (!(condition))                                                                                          \
  check::fail("not true: " #condition, __FILE__, __LINE__)

#define CHECK_ERROR(action, text)                                                                            \
  if (const auto message = check::message_of<std::exception>([&] { (void)(action); }, __FILE__, __LINE__);   \
      message.find(text) == std::string::npos)                                                               \
  check::fail("the message is: " + message, __FILE__, __LINE__)
