# reel_require(package debian_package [find_package arguments])
# Reports every missing package, each by its Debian name; the configure step then fails.
function(reel_require package debian_package)
  find_package(${package} ${ARGN} QUIET)
  if(NOT ${package}_FOUND)
    message(SEND_ERROR "${package} not found: apt install ${debian_package}")
  endif()
endfunction()
