# SPDX-License-Identifier: Apache-2.0
# Debian 12 packages; HACKING.md says why each is here.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(DEPS REQUIRED IMPORTED_TARGET
  libevent_core libevent_pthreads libssl libcrypto libcrypt libsodium jansson yaml-0.1 sqlite3)
add_library(twoleg_dependencies INTERFACE)
target_link_libraries(twoleg_dependencies INTERFACE PkgConfig::DEPS Threads::Threads)

# llhttp: the system's library where there is one, else the C sources of Debian's node-llhttp.
find_path(LLHTTP_INCLUDE llhttp.h
  PATH_SUFFIXES llhttp PATHS /usr/include /usr/share/include REQUIRED)
find_library(LLHTTP_LIBRARY llhttp)
if(LLHTTP_LIBRARY)
  target_link_libraries(twoleg_dependencies INTERFACE ${LLHTTP_LIBRARY})
else()
  set(LLHTTP_SOURCES /usr/share/llhttp)
  add_library(llhttp_strict STATIC
    ${LLHTTP_SOURCES}/llhttp.c ${LLHTTP_SOURCES}/api.c ${LLHTTP_SOURCES}/http.c)
  target_compile_definitions(llhttp_strict PRIVATE LLHTTP_STRICT_MODE=1)
  target_compile_options(llhttp_strict PRIVATE -O2 -w)
  target_link_libraries(llhttp_strict PRIVATE twoleg_hardening)
  target_include_directories(llhttp_strict PRIVATE ${LLHTTP_INCLUDE})
  if(TWOLEG_SANITIZE)
    target_compile_options(llhttp_strict PRIVATE -fsanitize=${TWOLEG_SANITIZE})
  endif()
  target_link_libraries(twoleg_dependencies INTERFACE llhttp_strict)
endif()
target_include_directories(twoleg_dependencies SYSTEM INTERFACE ${LLHTTP_INCLUDE})
