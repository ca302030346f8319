# What `cmake --install` puts where: the library, its headers, and packages for CMake and pkg-config. The whole of it
# can be moved to another prefix.
include(CMakePackageConfigHelpers)
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/mx2onnx)

install(TARGETS mx2onnx EXPORT mx2onnxTargets ARCHIVE LIBRARY)
install(DIRECTORY include/mx2onnx TYPE INCLUDE)
install(EXPORT mx2onnxTargets NAMESPACE mx2onnx:: DESTINATION ${_package})

# Programs that link the static library link zlib and fmt, too.
set(MX2ONNX_FIND_DEPENDENCIES "")
set(MX2ONNX_PC_REQUIRES "")
if(NOT BUILD_SHARED_LIBS)
  set(MX2ONNX_FIND_DEPENDENCIES "include(CMakeFindDependencyMacro)\nfind_dependency(ZLIB)")
  set(MX2ONNX_PC_REQUIRES "zlib")
  if(MX2ONNX_FMT STREQUAL fmt::fmt)
    string(APPEND MX2ONNX_FIND_DEPENDENCIES "\nfind_dependency(fmt)")
    string(APPEND MX2ONNX_PC_REQUIRES ", fmt")
  endif()
endif()
configure_package_config_file(cmake/mx2onnxConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/mx2onnxConfig.cmake
                              INSTALL_DESTINATION ${_package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/mx2onnxConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mx2onnxConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/mx2onnxConfigVersion.cmake
        DESTINATION ${_package})

# From the file's own place to the prefix, unless the library lies in a place of its own.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(MX2ONNX_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH _up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" _up ${_up})
  set(MX2ONNX_PC_PREFIX "\${pcfiledir}/${_up}")
endif()
foreach(_name LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE ${CMAKE_INSTALL_${_name}})
    set(MX2ONNX_PC_${_name} ${CMAKE_INSTALL_${_name}})
  else()
    set(MX2ONNX_PC_${_name} "\${prefix}/${CMAKE_INSTALL_${_name}}")
  endif()
endforeach()
configure_file(cmake/mx2onnx.pc.in ${CMAKE_CURRENT_BINARY_DIR}/mx2onnx.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mx2onnx.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
