find_library(libxsmm_LIBRARY xsmm)
find_path(libxsmm_INCLUDE_DIR libxsmm.h)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libxsmm DEFAULT_MSG libxsmm_LIBRARY libxsmm_INCLUDE_DIR)
mark_as_advanced(libxsmm_LIBRARY libxsmm_INCLUDE_DIR)

# libxsmm falls back to BLAS, so OpenBLAS comes after it on the link line.
if(libxsmm_FOUND AND NOT TARGET libxsmm::libxsmm)
  find_package(Threads QUIET)
  add_library(libxsmm::libxsmm UNKNOWN IMPORTED)
  set_target_properties(libxsmm::libxsmm PROPERTIES
    IMPORTED_LOCATION ${libxsmm_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${libxsmm_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "OpenBLAS::OpenBLAS;Threads::Threads;${CMAKE_DL_LIBS};rt;m")
endif()
