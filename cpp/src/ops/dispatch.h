// One kernel compiled for several instruction sets (cpp/src/ops/kernels); the best one that the processor has
// is called. UNNP_DISPATCH(NAME, IN, OUT) declares NAME_value, NAME_gradient and NAME_double, and has them
// all in NAME_kernels, from which an operator inherits them (fused.h).
#pragma once

#include "arrays.h"

namespace unnp::ops {

// x86-64 microarchitecture level: 4 (AVX-512), 3 (AVX2 and FMA), or 1; 1 on other processors too.
int instruction_set();

#if defined(__x86_64__)
#define UNNP_ONE_KERNEL(NAME, IN, OUT, T)                                                                    \
  namespace v1 {                                                                                             \
  void NAME(const IN<T>&, const OUT<T>&, const Range&);                                                      \
  }                                                                                                          \
  namespace v3 {                                                                                             \
  void NAME(const IN<T>&, const OUT<T>&, const Range&);                                                      \
  }                                                                                                          \
  namespace v4 {                                                                                             \
  void NAME(const IN<T>&, const OUT<T>&, const Range&);                                                      \
  }                                                                                                          \
  inline void NAME(const IN<T>& in, const OUT<T>& out, const Range& range) {                                 \
    switch (instruction_set()) {                                                                             \
    case 4:                                                                                                  \
      return v4::NAME(in, out, range);                                                                       \
    case 3:                                                                                                  \
      return v3::NAME(in, out, range);                                                                       \
    default:                                                                                                 \
      return v1::NAME(in, out, range);                                                                       \
    }                                                                                                        \
  }
#else
#define UNNP_ONE_KERNEL(NAME, IN, OUT, T)                                                                    \
  namespace v1 {                                                                                             \
  void NAME(const IN<T>&, const OUT<T>&, const Range&);                                                      \
  }                                                                                                          \
  inline void NAME(const IN<T>& in, const OUT<T>& out, const Range& range) {                                 \
    v1::NAME(in, out, range);                                                                                \
  }
#endif

#define UNNP_DISPATCH(NAME, IN, OUT)                                                                         \
  UNNP_ONE_KERNEL(NAME##_value, IN, OUT, float)                                                              \
  UNNP_ONE_KERNEL(NAME##_value, IN, OUT, double)                                                             \
  UNNP_ONE_KERNEL(NAME##_gradient, IN, OUT, float)                                                           \
  UNNP_ONE_KERNEL(NAME##_gradient, IN, OUT, double)                                                          \
  UNNP_ONE_KERNEL(NAME##_double, IN, OUT, float)                                                             \
  UNNP_ONE_KERNEL(NAME##_double, IN, OUT, double)                                                            \
  struct NAME##_kernels {                                                                                    \
    static constexpr const char* name = "unnp::" #NAME;                                                      \
    template <typename T>                                                                                    \
    using Reads = IN<T>;                                                                                     \
    template <typename T>                                                                                    \
    using Writes = OUT<T>;                                                                                   \
    template <typename T>                                                                                    \
    static void value(const IN<T>& in, const OUT<T>& out, const Range& range) {                              \
      NAME##_value(in, out, range);                                                                          \
    }                                                                                                        \
    template <typename T>                                                                                    \
    static void gradient(const IN<T>& in, const OUT<T>& out, const Range& range) {                           \
      NAME##_gradient(in, out, range);                                                                       \
    }                                                                                                        \
    template <typename T>                                                                                    \
    static void twice(const IN<T>& in, const OUT<T>& out, const Range& range) {                              \
      NAME##_double(in, out, range);                                                                         \
    }                                                                                                        \
  };

} // namespace unnp::ops
