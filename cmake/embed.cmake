# SPDX-License-Identifier: Apache-2.0
# Texts that the program carries inside: each file becomes a row MACRO(name, "text") of a .def file
# under generated/. The name is the file's without its ending, a number without leading zeros.
function(embed_texts output macro)
  list(SORT ARGN)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
  set(rows "// Made by cmake/embed.cmake.\n")
  foreach(file ${ARGN})
    get_filename_component(name ${file} NAME_WE)
    string(REGEX REPLACE "^0+" "" name ${name})
    file(READ ${file} text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n\"\n\"" text "${text}")
    string(APPEND rows "${macro}(${name},\n\"${text}\")\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${output} CONTENT "${rows}" @ONLY)
endfunction()

file(GLOB schema_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/store/schema/*.sql)
embed_texts(store/schema.def SCHEMA ${schema_files})
file(GLOB dialect_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/dialects/*.yaml)
embed_texts(dialect/dialects.def DIALECT ${dialect_files})
