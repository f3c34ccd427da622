// SPDX-License-Identifier: MIT
// Nothing: the translation unit that the precompiled header of the tests belongs to.
