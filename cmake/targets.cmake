set(REEL_LIBRARIES reel reel64)

foreach(library IN LISTS REEL_LIBRARIES)
  add_library(${library})
  add_library(reel::${library} ALIAS ${library})
  target_compile_features(${library} PUBLIC cxx_std_20)
  set_target_properties(${library} PROPERTIES CXX_EXTENSIONS OFF
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_include_directories(${library} PUBLIC
    $<BUILD_INTERFACE:${REEL_INCLUDE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${library}
    PUBLIC xtensor xtensor-blas xsimd fmt::fmt Threads::Threads OpenBLAS::OpenBLAS)
  # xsimd 8.1 does not compile for AVX-512 without optimisation.
  target_compile_options(${library} PUBLIC $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<OR:$<CONFIG:Debug>,$<STREQUAL:$<CONFIG>,>>>:-O1>)
  # GCC leaves this out on x86, where the machine reorders. But a cell's functions are long chains
  # that wait for themselves: mixed by the compiler, a fused LSTM takes less time.
  target_compile_options(${library} PUBLIC
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fschedule-insns$<SEMICOLON>-fsched-pressure>)
  # Users' cells need the SIMD width that the library has.
  if(REEL_ARCH)
    target_compile_options(${library} PUBLIC $<$<COMPILE_LANGUAGE:CXX>:-march=${REEL_ARCH}>)
  endif()
endforeach()

target_compile_definitions(reel64 PUBLIC REEL_DOUBLE)
# What nearly all files include. It is not for hiding a missing include: the dev preset goes without.
foreach(library IN LISTS REEL_LIBRARIES)
  target_precompile_headers(${library} PRIVATE
    <reel/autodiff/ops.hpp> <reel/autodiff/record.hpp> <reel/autodiff/tape.hpp>)
endforeach()
# Tools read each source once.
set_target_properties(reel64 PROPERTIES EXPORT_COMPILE_COMMANDS OFF)

# reel_room(name SOURCES ... HEADERS ... LIBRARIES ...)
# Adds a room to both libraries; LIBRARIES are private to it.
function(reel_room room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;LIBRARIES")
  foreach(library IN LISTS REEL_LIBRARIES)
    target_sources(${library} PRIVATE ${arg_SOURCES})
    target_link_libraries(${library} PRIVATE ${arg_LIBRARIES})
  endforeach()
  foreach(header IN LISTS arg_HEADERS)
    cmake_path(GET header PARENT_PATH folder)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/reel/${room}/${folder})
  endforeach()
endfunction()
