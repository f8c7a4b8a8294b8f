list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

if(PROJECT_IS_TOP_LEVEL)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(NOT multi_config AND NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
  endif()
  find_program(CCACHE ccache)
  if(CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  endif()
  # It keeps nothing that was compiled with them.
  if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES ccache)
    set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
  endif()
endif()

# Sources say <reel/room/file.hpp>, in the tree as after installation.
set(REEL_INCLUDE_DIR ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${REEL_INCLUDE_DIR}/reel)
foreach(name autodiff layers optim data reel.hpp)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${name} ${REEL_INCLUDE_DIR}/reel/${name} SYMBOLIC)
endforeach()
