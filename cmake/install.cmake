# SPDX-License-Identifier: Apache-2.0
# `cmake --install build/release`: the program and its manual, below CMAKE_INSTALL_PREFIX.
include(GNUInstallDirs)
install(TARGETS twoleg RUNTIME)
install(FILES docs/twoleg.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/twoleg.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
