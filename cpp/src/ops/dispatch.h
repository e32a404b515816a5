// One kernel compiled for several instruction sets; the best one that the processor has is called.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define UNNP_KERNEL(NAME, KERNEL, NUMBER, IN, OUT, T, VALUE, GRADIENT)                                                 \
  __attribute__((target("arch=x86-64-v4"))) void NAME##_v4(const IN<T> &in, const OUT<T> &out, const Range &range) {   \
    KERNEL<NUMBER<T, 64>, VALUE, GRADIENT>(in, out, range);                                                            \
  }                                                                                                                    \
  __attribute__((target("arch=x86-64-v3"))) void NAME##_v3(const IN<T> &in, const OUT<T> &out, const Range &range) {   \
    KERNEL<NUMBER<T, 32>, VALUE, GRADIENT>(in, out, range);                                                            \
  }                                                                                                                    \
  void NAME##_v1(const IN<T> &in, const OUT<T> &out, const Range &range) {                                             \
    KERNEL<NUMBER<T, 16>, VALUE, GRADIENT>(in, out, range);                                                            \
  }                                                                                                                    \
  void NAME(const IN<T> &in, const OUT<T> &out, const Range &range) {                                                  \
    switch (instruction_set()) {                                                                                       \
    case 4: return NAME##_v4(in, out, range);                                                                          \
    case 3: return NAME##_v3(in, out, range);                                                                          \
    default: return NAME##_v1(in, out, range);                                                                         \
    }                                                                                                                  \
  }
#else
#define UNNP_KERNEL(NAME, KERNEL, NUMBER, IN, OUT, T, VALUE, GRADIENT)                                                 \
  void NAME(const IN<T> &in, const OUT<T> &out, const Range &range) {                                                  \
    KERNEL<NUMBER<T, 16>, VALUE, GRADIENT>(in, out, range);                                                            \
  }
#endif

// Value, gradient and double-backward kernels NAME_value, NAME_gradient, NAME_double for float and double.
#define UNNP_KERNELS(NAME, KERNEL, IN, OUT)                                                                            \
  UNNP_KERNEL(NAME##_value, KERNEL, Packet, IN, OUT, float, true, false)                                               \
  UNNP_KERNEL(NAME##_value, KERNEL, Packet, IN, OUT, double, true, false)                                              \
  UNNP_KERNEL(NAME##_gradient, KERNEL, Packet, IN, OUT, float, false, true)                                            \
  UNNP_KERNEL(NAME##_gradient, KERNEL, Packet, IN, OUT, double, false, true)                                           \
  UNNP_KERNEL(NAME##_double, KERNEL, Dual, IN, OUT, float, true, true)                                                 \
  UNNP_KERNEL(NAME##_double, KERNEL, Dual, IN, OUT, double, true, true)

namespace unnp::ops {

// x86-64 microarchitecture level: 4 (AVX-512), 3 (AVX2, FMA) or 1; 0 elsewhere.
inline int instruction_set() {
#if defined(__x86_64__) && defined(__GNUC__)
  static const int level = [] {
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    return v4 ? 4 : v3 ? 3 : 1;
  }();
  return level;
#else
  return 0;
#endif
}

} // namespace unnp::ops
