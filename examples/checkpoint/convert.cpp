// SPDX-License-Identifier: MIT
// checkpoint convert: tensor after tensor, so that a checkpoint need not fit into memory.
#include <optional>
#include <utility>

#include <tenet/interop/npz_writer.hpp>
#include <tenet/io/elements.hpp>
#include <tenet/io/safetensors_sharded_writer.hpp>

#include "commands.hpp"
#include "tensor_file.hpp"

namespace tensor_files {
namespace {

namespace st = tenet::safetensors;

std::optional<tenet::dtype> wanted_type(std::string const& name) {
    if (name.empty()) return std::nullopt;
    for (auto const& [text, type] : {std::pair{"f64", tenet::dtype::float64},
                                     {"f32", tenet::dtype::float32},
                                     {"f16", tenet::dtype::float16},
                                     {"bf16", tenet::dtype::bfloat16}})
        if (name == text) return type;
    tenet::fail_expectation("checkpoint convert --dtype", "f64, f32, f16 or bf16", tenet::detail::quoted(name));
}

// What a tensor of the input becomes, and its bytes when they are asked for.
class conversion {
public:
    conversion(tensor_file const& file, std::optional<tenet::dtype> wanted) : file_(file) {
        for (tensor_entry const& tensor : file.tensors()) {
            const auto type = st::dtype_named(tensor.dtype);
            tensor_entry target = tensor;
            if (wanted && type && tenet::is_floating(*type)) {
                target.dtype = st::file_name_of(*wanted);
                if (target.dtype != tensor.dtype) ++changed_;
            }
            target.bytes = {};
            targets_.push_back(std::move(target));
        }
    }

    std::span<tensor_entry const> targets() const { return targets_; }
    std::size_t changed() const { return changed_; }

    std::span<std::byte const> bytes_of(tensor_entry const& target) const {
        tensor_entry const& source = *file_.find(target.name);
        if (source.dtype == target.dtype) return source.bytes;
        const tenet::dtype to = *st::dtype_named(target.dtype);
        buffer_.resize(size_of(source) * tenet::size_of(to));
        tenet::convert_elements(*st::dtype_named(source.dtype), source.bytes.data(), size_of(source), to,
                                buffer_.data());
        return buffer_;
    }

private:
    tensor_file const& file_;
    std::vector<tensor_entry> targets_;
    std::size_t changed_ = 0;
    mutable std::vector<std::byte> buffer_;
};

void write_npz(std::filesystem::path const& path, conversion const& all) {
    tenet::npz_writer file(path);
    for (tensor_entry const& target : all.targets()) {
        const auto type = st::dtype_named(target.dtype);
        if (!type) {
            tenet::fail_expectation(path.string() + ": " + tenet::detail::quoted(target.name),
                                    "an element type that NumPy knows", target.dtype);
        }
        file.add(target.name, *type, target.shape, all.bytes_of(target));
    }
    file.commit();
}

}  // namespace

int convert(convert_options const& options, std::ostream& out) {
    const tensor_file file(options.from);
    const conversion all(file, wanted_type(options.dtype));
    const auto bytes_of = [&](tensor_entry const& target) { return all.bytes_of(target); };
    const std::string name = options.to.filename().string();
    if (name.ends_with(".safetensors")) {
        st::write_tensors(options.to, all.targets(), file.metadata(), bytes_of);
    } else if (name.ends_with(".index.json")) {
        st::write_sharded_tensors(options.to, all.targets(), file.metadata(), options.shard_size, bytes_of);
    } else if (name.ends_with(".npz")) {
        write_npz(options.to, all);
        if (!file.metadata().empty()) out << "metadata is left behind: .npz files hold none\n";
    } else {
        tenet::fail_expectation("checkpoint convert",
                                "an output that ends in .safetensors, .safetensors.index.json or .npz",
                                tenet::detail::quoted(options.to.string()));
    }
    out << options.to.string() << ": " << all.targets().size() << " tensors, " << all.changed()
        << " of them converted\n";
    return 0;
}

}  // namespace tensor_files
