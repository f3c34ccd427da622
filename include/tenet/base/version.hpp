// SPDX-License-Identifier: MIT
// base: the library's version, read by the build system from here.
#pragma once

#define TENET_VERSION_MAJOR 0
#define TENET_VERSION_MINOR 1
#define TENET_VERSION_PATCH 0
