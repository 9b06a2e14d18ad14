# SPDX-License-Identifier: Apache-2.0
# Warnings are errors in every preset; the hardening flags are those of the project's security plan,
# for all code that goes into the program, also that of llhttp.
add_library(twoleg_hardening INTERFACE)
add_library(twoleg_flags INTERFACE)
target_link_libraries(twoleg_flags INTERFACE twoleg_hardening)
target_compile_options(twoleg_hardening INTERFACE
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing)
target_compile_definitions(twoleg_flags INTERFACE
  _GNU_SOURCE TWOLEG_VERSION="${PROJECT_VERSION}")
target_compile_options(twoleg_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Werror)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(twoleg_hardening INTERFACE
    -O2 -g1 -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    target_compile_options(twoleg_hardening INTERFACE -fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
    target_compile_options(twoleg_hardening INTERFACE -mbranch-protection=standard)
  endif()
  target_compile_definitions(twoleg_hardening INTERFACE _FORTIFY_SOURCE=3)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(twoleg_hardening INTERFACE -ftrivial-auto-var-init=zero)
    # Where private keys are used, no register keeps a part of one. The option is lost where code is
    # made at the link, so these are compiled at once.
    set_source_files_properties(src/crypto/sign.c src/crypto/ec_private.c src/crypto/key_ec.c
      src/crypto/key_okp.c src/crypto/key_rsa.c
      PROPERTIES COMPILE_OPTIONS "-fno-lto;-fzero-call-used-regs=used-gpr")
    # The hot path is many small functions in many files: link-time inlining takes 5 % off a token.
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
    set(CMAKE_C_COMPILE_OPTIONS_IPO -flto=auto -fno-fat-lto-objects)
  endif()
  target_link_options(twoleg_flags INTERFACE
    -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed)
else()
  target_compile_options(twoleg_flags INTERFACE -O1 -g -fno-omit-frame-pointer)
endif()

if(TWOLEG_SANITIZE)
  target_compile_options(twoleg_flags INTERFACE
    -fsanitize=${TWOLEG_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(twoleg_flags INTERFACE -fsanitize=${TWOLEG_SANITIZE})
endif()
if(TWOLEG_TESTS OR TWOLEG_FUZZ)
  target_compile_definitions(twoleg_flags INTERFACE TWOLEG_TEST_HOOKS)
endif()
if(TWOLEG_FUZZ)
  # Counters for tests/fuzz/coverage, written only where LLVM_PROFILE_FILE says so.
  target_compile_options(twoleg_flags INTERFACE
    -fsanitize=fuzzer-no-link -fprofile-instr-generate=/dev/null -fcoverage-mapping)
  target_link_options(twoleg_flags INTERFACE -fprofile-instr-generate)
endif()
