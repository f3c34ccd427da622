// SPDX-License-Identifier: MIT
// nn: a table of vectors that are looked up by index.
#pragma once

#include <tenet/op/gather.hpp>

namespace tenet::nn {

/// y[i..., e...] = weight[index[i...], e...]: int32 [i...] to [i..., E...]. `Row` is the axis that is looked up.
///
/// A tied output head is `dot<E...>(h, table.weight)`. Run-time error: an index outside of the table.
/// Cost: a copy of the rows; backward adds rows in order. PyTorch: torch.nn.Embedding.
template <class Row, class... E>
struct embedding {
    parameter<Row, E...> weight{};

    constexpr auto operator()(auto const& index) const { return lookup(weight, index); }
};

}  // namespace tenet::nn
