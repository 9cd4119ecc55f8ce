# SPDX-License-Identifier: Apache-2.0
# cmake --install BUILD --prefix DIR
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

foreach(library flowrt libflowc)
  target_include_directories(${library} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
install(TARGETS flowc RUNTIME COMPONENT compiler)
install(TARGETS flowrt EXPORT FlowRT LIBRARY COMPONENT runtime)
install(TARGETS libflowc EXPORT FlowRT LIBRARY COMPONENT compiler)
install(DIRECTORY runtime/include/flow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT runtime FILES_MATCHING PATTERN "*.h")

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/FlowRT)
install(EXPORT FlowRT NAMESPACE FlowRT:: DESTINATION ${package} FILE FlowRTTargets.cmake COMPONENT runtime)
configure_package_config_file(cmake/FlowRTConfig.cmake.in ${CMAKE_BINARY_DIR}/package/FlowRTConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/FlowRTConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/FlowRTConfig.cmake ${CMAKE_BINARY_DIR}/package/FlowRTConfigVersion.cmake
        DESTINATION ${package} COMPONENT runtime)

# Relative to the file itself, so that the prefix may be chosen at installation and moved afterwards.
file(RELATIVE_PATH FLOW_FROM_PKGCONFIG /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(name flowrt flowc)
  configure_file(cmake/${name}.pc.in ${CMAKE_BINARY_DIR}/package/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/package/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT runtime)
endforeach()
