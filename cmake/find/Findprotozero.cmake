# protozero (header-only) as distributions install it: without CMake files of its own.
find_path(protozero_INCLUDE_DIR protozero/pbf_writer.hpp)
if(protozero_INCLUDE_DIR)
  file(STRINGS ${protozero_INCLUDE_DIR}/protozero/version.hpp _line REGEX "PROTOZERO_VERSION_STRING")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" protozero_VERSION "${_line}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(protozero REQUIRED_VARS protozero_INCLUDE_DIR
                                  VERSION_VAR protozero_VERSION)
if(protozero_FOUND AND NOT TARGET protozero::protozero)
  add_library(protozero::protozero INTERFACE IMPORTED)
  target_include_directories(protozero::protozero INTERFACE ${protozero_INCLUDE_DIR})
endif()
