// A fused operator from its kernels: the memory they write, and the bonds or rows they run over.
//
// An operator inherits the kernels of UNNP_DISPATCH, which write {value, gradient of each input, in order},
// and says
//
//   over: whether kernels run over bonds, or over the rows of the first input;
//
//   sums_value, sums: whether the value, and the gradient of each input, is summed over the bonds of an atom;
//
//   shape(z, index, sizes): of the value;
//
//   table(z, sizes): constants for the kernels, one row; an undefined tensor where there are none;
//
//   reads(x, z, sizes): what the kernels read;
//
//   checked(arguments...): the Call of the operator's arguments; an error where they do not fit each other.
#pragma once

#include "differentiable.h"
#include "launch.h"

#include <array>
#include <utility>

namespace unnp::ops {

enum class Over { bonds, rows };

// The rows of N inputs with their tangents, of the gradient of the value, and the table.
template <typename T, std::size_t N>
struct Fields {
  std::array<In<T>, N> z;
  In<T> g, table;
};

// Arguments of an operator after they were checked: contiguous inputs, bonds, and whole numbers.
struct Call {
  variable_list z;
  Tensor index;
  Sizes sizes;
};

// The three functions of differentiable.h.
template <class Op>
struct Fused {
  static constexpr std::size_t n = Op::sums.size();

  static Tensor forward(const variable_list& z, const Tensor& index, const Sizes& sizes) {
    Tensor value = value_like(z, index, sizes);
    run([](const auto&... given) { Op::value(given...); }, {z, index, sizes}, {}, {}, value, {});
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                const Sizes& sizes) {
    variable_list grads = gradients_like(z);
    run([](const auto&... given) { Op::gradient(given...); }, {z, index, sizes}, g, {}, {}, grads);
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                       const Sizes& sizes, const variable_list& h) {
    variable_list grads = gradients_like(z);
    const Tensor value = value_like(z, index, sizes);
    run([](const auto&... given) { Op::twice(given...); }, {z, index, sizes}, g, h, value, grads);
    grads.insert(grads.begin(), value);
    return grads;
  }

private:
  static Tensor value_like(const variable_list& z, const Tensor& index, const Sizes& sizes) {
    const std::vector<std::int64_t> shape = Op::shape(z, index, sizes);
    return Op::sums_value ? torch::zeros(shape, z[0].options()) : torch::empty(shape, z[0].options());
  }

  static variable_list gradients_like(const variable_list& z) {
    variable_list grads;
    for (std::size_t k = 0; k < n; ++k)
      grads.push_back(Op::sums[k] ? torch::zeros_like(z[k]) : torch::empty_like(z[k]));
    return grads;
  }

  // h, value and grads may be empty: constant inputs, and what is not wanted.
  template <class Kernel>
  static void run(const Kernel& kernel, const Call& call, const Tensor& g, const variable_list& h,
                  const Tensor& value, const variable_list& grads) {
    const variable_list& z = call.z; // no structured bindings: lambdas cannot capture them
    const Tensor table = Op::table(z, call.sizes);
    AT_DISPATCH_FLOATING_TYPES(z[0].scalar_type(), Op::name, [&] {
      Fields<scalar_t, n> x{{}, reader<scalar_t>(g), reader<scalar_t>(table)};
      for (std::size_t k = 0; k < n; ++k)
        x.z[k] = reader<scalar_t>(z[k], h.empty() ? Tensor() : h[k]);
      const auto in = Op::template reads<scalar_t>(x, z, call.sizes);
      if constexpr (Op::over == Over::rows) {
        const auto out = writes<scalar_t>(value, grads, {});
        over_rows(z[0].size(0), [&](const Range& range) { kernel(in, out, range); });
      } else {
        over_bonds(call.index, summed(value, grads), [&](const Range& range, const variable_list& sums) {
          kernel(in, writes<scalar_t>(value, grads, sums), range);
        });
      }
    });
  }

  // The tensors that chunks of bonds add to, in the order of `writes`.
  static variable_list summed(const Tensor& value, const variable_list& grads) {
    variable_list sums;
    if (Op::sums_value && value.defined())
      sums.push_back(value);
    for (std::size_t k = 0; k < grads.size(); ++k)
      if (Op::sums[k])
        sums.push_back(grads[k]);
    return sums;
  }

  template <typename T>
  static auto writes(const Tensor& value, const variable_list& grads, const variable_list& sums) {
    std::array<T*, n + 1> to{};
    std::size_t next = 0;
    const auto place = [&](const Tensor& own, bool is_sum) { return write<T>(is_sum ? sums[next++] : own); };
    if (value.defined())
      to[0] = place(value, Op::sums_value);
    for (std::size_t k = 0; k < grads.size(); ++k)
      to[k + 1] = place(grads[k], Op::sums[k]);
    return from_pointers(to, std::make_index_sequence<n + 1>());
  }

  template <typename T, std::size_t... k>
  static auto from_pointers(const std::array<T*, n + 1>& to, std::index_sequence<k...>) {
    return typename Op::template Writes<T>{{to[k]}...};
  }
};

// The operator as torch calls it, without and with gradients: the arguments are those of Op::checked.
template <class Op, class Function = decltype(&Op::checked)>
struct Entry;

template <class Op, class... Arguments>
struct Entry<Op, Call (*)(Arguments...)> {
  static Tensor plain(Arguments... given) {
    const Call call = Op::checked(given...);
    return Fused<Op>::forward(call.z, call.index, call.sizes);
  }
  static Tensor differentiable(Arguments... given) {
    const Call call = Op::checked(given...);
    return ops::differentiable<Fused<Op>>(call.z, call.index, call.sizes);
  }
};

// Of an operator whose kernels need no constants.
struct WithoutTable {
  static Tensor table(const variable_list&, const Sizes&) { return {}; }
};

// The bonds of an operator that runs over rows.
inline Tensor no_bonds() {
  return torch::empty({0});
}

} // namespace unnp::ops
