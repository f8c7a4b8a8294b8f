# Every missing package must stop the configure step and be named as Debian names it.
set(packages
  OpenBLAS libopenblas-dev
  xtensor libxtensor-dev
  fmt libfmt-dev
  utf8proc libutf8proc-dev
  GTest libgtest-dev)

file(REMOVE_RECURSE ${WORK_DIR})
set(disable)
set(expected)
while(packages)
  list(POP_FRONT packages package debian_package)
  list(APPEND disable -D CMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
  list(APPEND expected "${package} not found: apt install ${debian_package}")
endwhile()

execute_process(
  COMMAND ${CMAKE_COMMAND} -G Ninja -S ${SOURCE_DIR} -B ${WORK_DIR} ${disable}
    -D CMAKE_CXX_COMPILER=${COMPILER}
  RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE errors)
if(result EQUAL 0)
  message(FATAL_ERROR "configured without its packages")
endif()
foreach(line IN LISTS expected)
  string(FIND "${errors}" "${line}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "no line says: ${line}\n${errors}")
  endif()
endforeach()
