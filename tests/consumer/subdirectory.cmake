# Configures the consumer with reel as a subdirectory and compiles its one file.
file(REMOVE_RECURSE ${WORK_DIR})
execute_process(
  COMMAND ${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK_DIR}
    -D REEL_SOURCE=${SOURCE_DIR} -D CMAKE_CXX_COMPILER=${COMPILER}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR} --target CMakeFiles/consumer.dir/main.cpp.o
  COMMAND_ERROR_IS_FATAL ANY)
