# SPDX-License-Identifier: Apache-2.0
# One program for each tests/fuzz/fuzz_*.c; its corpus lies in tests/fuzz/corpus/<name>/.
file(GLOB fuzz_sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source ${fuzz_sources})
  get_filename_component(target ${source} NAME_WE)
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE twoleg_core)
  target_include_directories(${target} PRIVATE tests)
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
endforeach()
