# SPDX-License-Identifier: Apache-2.0
# One program for each tests/unit/**/test_*.c: build/<preset>/unit/<folder>_<name>, run by ./test.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
file(GLOB_RECURSE unit_sources CONFIGURE_DEPENDS tests/unit/test_*.c tests/store/test_*.c)
foreach(source ${unit_sources})
  file(RELATIVE_PATH unit ${CMAKE_SOURCE_DIR}/tests ${source})
  string(REGEX REPLACE "^unit/" "" unit ${unit})
  string(REGEX REPLACE "\\.c$" "" unit ${unit})
  string(REPLACE "/" "_" unit ${unit})
  add_executable(unit_${unit} ${source})
  target_link_libraries(unit_${unit} PRIVATE twoleg_core PkgConfig::CMOCKA)
  target_include_directories(unit_${unit} PRIVATE tests)
  target_compile_definitions(unit_${unit} PRIVATE TWOLEG_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(unit_${unit} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit OUTPUT_NAME ${unit})
endforeach()
