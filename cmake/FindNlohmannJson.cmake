# Finds the headers of nlohmann-json and makes the target nlohmann_json::nlohmann_json: of an installed CMake package (Debian:
# nlohmann-json3-dev) or of the Python package nlohmann-json of the Python in use. Only compiling needs them.
find_package(nlohmann_json 3.11 QUIET CONFIG)
if(NOT nlohmann_json_FOUND)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import importlib.util as u; print(u.find_spec('nlohmann_json').submodule_search_locations[0])"
    OUTPUT_VARIABLE nlohmann_json_package OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  find_path(NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp HINTS "${nlohmann_json_package}/include")
  if(NOT NLOHMANN_JSON_INCLUDE_DIR)
    message(FATAL_ERROR "nlohmann-json is not installed.\nInstall the Python package (pip install nlohmann-json) or that of "
            "the system (Debian: nlohmann-json3-dev), or pass -DNLOHMANN_JSON_INCLUDE_DIR=<folder with nlohmann/json.hpp>.")
  endif()
  add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
  target_include_directories(nlohmann_json::nlohmann_json SYSTEM INTERFACE "${NLOHMANN_JSON_INCLUDE_DIR}")
endif()
