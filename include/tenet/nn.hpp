// SPDX-License-Identifier: MIT
// nn: everything of the floor.
#pragma once

