#include "allowed.h"

#include <algorithm>
#include <set>

namespace unnp {

namespace {

using Names = std::set<std::string_view>;

// Not here, and not to be added: what opens files (from_file, save), what can reach memory beyond a tensor
// (as_strided, set_, resize_, names that begin with _), uninitialised memory (empty), random numbers,
// threads.
const Names functions = {
    // numbers, lists and tables of TorchScript
    "__and__", "__contains__", "__derive_index", "__getitem__", "__is__", "__isnot__", "__not__", "__or__",
    "__range_length", "__xor__", "_set_item", "append", "extend", "copy", "dict", "format", "get", "items",
    "keys", "len", "list", "str", "values", "Bool", "Float", "FloatImplicit", "Int", "IntImplicit",
    "ScalarImplicit", "item", "ceil", "floor", "floordiv", "round", "trunc", "frac", "remainder", "fmod",
    // arithmetic and comparison
    "abs", "add", "add_", "addcdiv", "addcmul", "clamp", "clamp_", "clamp_max", "clamp_min", "clip",
    "copysign", "div", "div_", "eq", "equal", "floor_divide", "ge", "gt", "isclose", "isfinite", "isinf",
    "isnan", "le", "lerp", "inner", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "max",
    "maximum", "min", "minimum", "fmax", "fmin", "mul", "mul_", "multiply", "ne", "neg", "neg_", "negative",
    "pow", "pow_", "reciprocal", "rsub", "rsqrt", "sign", "sgn", "sqrt", "square", "sub", "sub_", "subtract",
    "true_divide", "where", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "nan_to_num",
    // functions
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "deg2rad", "digamma", "erf",
    "erfc", "erfinv", "exp", "exp2", "expm1", "hypot", "lgamma", "log", "log10", "log1p", "log2", "logaddexp",
    "logit", "polygamma", "sin", "sinc", "sinh", "tan", "tanh", "xlogy", "special_bessel_j0",
    "special_bessel_j1", "special_entr", "special_erfcx", "special_expit", "special_i0", "special_i0e",
    "special_i1", "special_i1e", "special_log_ndtr", "special_modified_bessel_k0",
    "special_modified_bessel_k1", "special_spherical_bessel_j0",
    // activations and layers
    "celu", "dropout", "elu", "elu_", "embedding", "gelu", "glu", "group_norm", "hardsigmoid", "hardswish",
    "hardtanh", "layer_norm", "leaky_relu", "leaky_relu_", "linear", "log_sigmoid", "log_softmax", "mish",
    "prelu", "relu", "relu6", "relu_", "rms_norm", "selu", "sigmoid", "sigmoid_", "silu", "silu_", "softmax",
    "softplus", "softshrink", "tanh_", "threshold",
    // sums and orderings
    "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "count_nonzero", "cumprod", "cumsum",
    "logsumexp", "mean", "norm", "linalg_norm", "linalg_vector_norm", "linalg_matrix_norm", "prod", "sort",
    "std", "sum", "topk", "trace", "var", "nansum", "frobenius_norm",
    // products
    "addmm", "addmv", "baddbmm", "bilinear", "bmm", "cdist", "cosine_similarity", "cross", "linalg_cross",
    "det", "linalg_det", "dot", "einsum", "inverse", "linalg_inv", "kron", "linalg_solve", "matmul",
    "matrix_exp", "mm", "mv", "outer", "tensordot", "vdot", "pairwise_distance",
    // shapes
    "alias", "atleast_1d", "atleast_2d", "block_diag", "broadcast_tensors", "broadcast_to", "cat", "chunk",
    "concat", "constant_pad_nd", "contiguous", "cartesian_prod", "diag", "diag_embed", "diagonal", "dim",
    "expand", "expand_as", "flatten", "flip", "hstack", "matrix_H", "meshgrid", "moveaxis", "movedim", "mT",
    "narrow", "numel", "numpy_T", "pad", "permute", "ravel", "repeat", "reshape", "reshape_as", "roll",
    "select", "size", "slice", "split", "split_with_sizes", "squeeze", "stack", "swapaxes", "swapdims", "t",
    "tensor_split", "tile", "transpose", "tril", "triu", "unbind", "unflatten", "unsqueeze", "view",
    "view_as", "vstack",
    // picking and adding at indices, which are checked
    "gather", "index", "index_add", "index_add_", "index_copy", "index_fill", "index_put", "index_put_",
    "index_select", "masked_fill", "masked_fill_", "masked_select", "nonzero", "one_hot", "scatter",
    "scatter_add", "scatter_add_", "scatter_reduce", "take", "bucketize",
    // new tensors, and kinds of them
    "arange", "as_tensor", "clone", "copy_", "detach", "eye", "fill_", "full", "full_like", "is_complex",
    "is_floating_point", "is_contiguous", "linspace", "new_full", "new_ones", "new_zeros", "ones",
    "ones_like", "scalar_tensor", "tensor", "to", "type_as", "zero_", "zeros", "zeros_like", "result_type",
    "lift_fresh"};

const Names operators = {
    "unnp.aggregate",
    "unnp.combine",
    "unnp.envelope",
    "unnp.exchange",
    "unnp.harmonics",
    "unnp.multipoles",
    "unnp.norms",
    "unnp.products",
    "unnp.project",
    "unnp.spectrum",
    "unnp.sum_over_ranks",
    "prim.RaiseException",
    "prim.abs",
    "prim.device",
    "prim.dtype",
    "prim.is_cpu",
    "prim.is_cuda",
    "prim.layout",
    "prim.max",
    "prim.min",
    "prim.shape",
    "prim.NumToTensor",
    "prim.unchecked_unwrap_optional",
    "prim.requires_grad",
    "aten.__getitem__",
};

const Names builtins = {"annotate",       "bool",          "float", "getattr", "int",
                        "isinstance",     "len",           "max",   "min",     "range",
                        "unchecked_cast", "uninitialized", "abs",   "round",   "str",
                        "rangelist",      "enumerate",     "zip"};

const Names special_members = {"__len__",        "__contains__", "__getitem__",    "__constants__",
                               "__parameters__", "__buffers__",  "__annotations__"};

// What a tensor has under this name is beyond the lists above.
const Names forbidden_members = {"apply_",        "as_strided",      "as_strided_",   "backward",
                                 "data_ptr",      "from_file",       "load",          "map_",
                                 "open",          "print",           "random_",       "record_stream",
                                 "register_hook", "resize_",         "resize_as_",    "save",
                                 "set_",          "set_data",        "share_memory_", "storage",
                                 "tofile",        "untyped_storage", "warn"};

} // namespace

bool is_allowed_function(std::string_view name) {
  return functions.contains(name);
}

bool is_allowed_operator(std::string_view name) {
  return operators.contains(name);
}

bool is_allowed_builtin(std::string_view name) {
  const bool is_temporary = name.size() > 1 && name.front() == '_' &&
                            std::ranges::all_of(name.substr(1), [](char c) { return c >= '0' && c <= '9'; });
  return is_temporary || builtins.contains(name);
}

bool is_allowed_member(std::string_view name) {
  return name.starts_with("__") ? special_members.contains(name) : !forbidden_members.contains(name);
}

} // namespace unnp
