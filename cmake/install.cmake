# SPDX-License-Identifier: Apache-2.0
# `cmake --install build/release`: the program, its manual, its unit, below CMAKE_INSTALL_PREFIX.
# `cpack -G DEB --config build/release/CPackConfig.cmake`: the same as a Debian package.
include(GNUInstallDirs)
install(TARGETS twoleg RUNTIME)
foreach(page twoleg.1 twoleg.yaml.5)
  set(packed ${CMAKE_BINARY_DIR}/man/${page}.gz)
  string(REGEX REPLACE ".*\\." "" section ${page})
  add_custom_command(OUTPUT ${packed}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
    COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/docs/${page} > ${packed}
    DEPENDS docs/${page})
  list(APPEND man_pages ${packed})
  install(FILES ${packed} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
add_custom_target(man ALL DEPENDS ${man_pages})
install(FILES packaging/twoleg.service packaging/twoleg.socket DESTINATION lib/systemd/system)
install(FILES packaging/twoleg.yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/twoleg)
install(FILES packaging/twoleg.bash RENAME twoleg
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/twoleg)
install(FILES README.md SECURITY.md CHANGES.md docs/dialects.md docs/import.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/twoleg)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "the twoleg maintainers <maintainers@twoleg.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "two-legged OAuth 2.0 for any HTTP API")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/packaging/debian/postinst
  ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
  ${CMAKE_SOURCE_DIR}/packaging/debian/postrm)
include(CPack)
