include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/reel)
set(generated_dir ${PROJECT_BINARY_DIR}/cmake)

install(FILES ${PROJECT_SOURCE_DIR}/reel.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/reel)
install(TARGETS ${REEL_LIBRARIES} EXPORT reelTargets)
install(EXPORT reelTargets NAMESPACE reel:: DESTINATION ${config_dir})

get_target_property(library_type reel TYPE)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/reelConfig.cmake.in
  ${generated_dir}/reelConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${generated_dir}/reelConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(
  FILES
    ${generated_dir}/reelConfig.cmake
    ${generated_dir}/reelConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindOpenBLAS.cmake
    ${PROJECT_SOURCE_DIR}/cmake/Findutf8proc.cmake
  DESTINATION ${config_dir})
