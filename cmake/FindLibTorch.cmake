# Finds the libtorch of a Python installation (or of -DTORCH_ROOT=...) and makes the target unnp::torch.
#
# torch's own TorchConfig.cmake is not used: for a CUDA build of torch it insists on a CUDA toolkit, which
# unnp does not need to compile.
if(NOT TORCH_ROOT)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE TORCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "torch is not installed for ${Python_EXECUTABLE}.\n"
            "Install it first (pip install torch==2.13.0), or pass -DTORCH_ROOT=<folder with include/ and lib/>.")
  endif()
endif()
find_path(TORCH_INCLUDE_DIR torch/library.h PATHS "${TORCH_ROOT}/include" NO_DEFAULT_PATH REQUIRED)
set(TORCH_LIBRARY_DIR "${TORCH_ROOT}/lib")
find_library(TORCH_LIBRARY torch PATHS "${TORCH_LIBRARY_DIR}" NO_DEFAULT_PATH REQUIRED)
find_library(TORCH_CPU_LIBRARY torch_cpu PATHS "${TORCH_LIBRARY_DIR}" NO_DEFAULT_PATH REQUIRED)
find_library(C10_LIBRARY c10 PATHS "${TORCH_LIBRARY_DIR}" NO_DEFAULT_PATH REQUIRED)

add_library(unnp::torch INTERFACE IMPORTED)
target_include_directories(unnp::torch SYSTEM INTERFACE
  "${TORCH_INCLUDE_DIR}" "${TORCH_INCLUDE_DIR}/torch/csrc/api/include")
# libtorch.so is needed for what it pulls in: on a CUDA build the GPU kernels.
target_link_libraries(unnp::torch INTERFACE
  -Wl,--no-as-needed "${TORCH_LIBRARY}" "${TORCH_CPU_LIBRARY}" "${C10_LIBRARY}" -Wl,--as-needed)
message(STATUS "torch: ${TORCH_ROOT}")
