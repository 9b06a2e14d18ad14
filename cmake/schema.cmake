# SPDX-License-Identifier: Apache-2.0
# Turns src/store/schema/NNN.sql into generated/store/schema.def, one row SCHEMA(number, text) each,
# so that the program carries its schema inside.
set(schema_def ${CMAKE_BINARY_DIR}/generated/store/schema.def)
file(GLOB schema_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/store/schema/*.sql)
list(SORT schema_files)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schema_files})
set(schema_rows "// Made from src/store/schema by cmake/schema.cmake.\n")
foreach(schema_file ${schema_files})
  get_filename_component(schema_number ${schema_file} NAME_WE)
  string(REGEX REPLACE "^0+" "" schema_number ${schema_number})
  file(READ ${schema_file} schema_text)
  string(REPLACE "\\" "\\\\" schema_text "${schema_text}")
  string(REPLACE "\"" "\\\"" schema_text "${schema_text}")
  string(REPLACE "\n" "\\n\"\n\"" schema_text "${schema_text}")
  string(APPEND schema_rows "SCHEMA(${schema_number},\n\"${schema_text}\")\n")
endforeach()
file(CONFIGURE OUTPUT ${schema_def} CONTENT "${schema_rows}" @ONLY)
