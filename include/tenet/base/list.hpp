// SPDX-License-Identifier: MIT
// base: a growing array for constant evaluation. std::vector of libstdc++ 12 fills memory in a way that clang does not
// accept in constant expressions; this one starts the life of every element.
#pragma once

#include <cstddef>
#include <initializer_list>

namespace tenet {

/// A growing array of a default-constructible, copyable `T`; all members constexpr.
template <class T>
class list {
public:
    constexpr list() = default;
    constexpr list(std::initializer_list<T> values) {
        reserve(values.size());
        for (T const& v : values) data_[size_++] = v;
    }
    constexpr list(std::size_t n, T const& value) { assign(n, value); }
    constexpr list(list const& other) {
        reserve(other.size_);
        for (std::size_t i = 0; i < other.size_; ++i) data_[i] = other.data_[i];
        size_ = other.size_;
    }
    constexpr list(list&& other) noexcept : data_(other.data_), size_(other.size_), capacity_(other.capacity_) {
        other.data_ = nullptr;
        other.size_ = other.capacity_ = 0;
    }
    constexpr list& operator=(list other) noexcept {
        swap(data_, other.data_);
        swap(size_, other.size_);
        swap(capacity_, other.capacity_);
        return *this;
    }
    constexpr ~list() { delete[] data_; }

    constexpr std::size_t size() const { return size_; }
    constexpr bool empty() const { return size_ == 0; }
    constexpr T& operator[](std::size_t i) { return data_[i]; }
    constexpr T const& operator[](std::size_t i) const { return data_[i]; }
    constexpr T& back() { return data_[size_ - 1]; }
    constexpr T const& back() const { return data_[size_ - 1]; }
    constexpr T* begin() { return data_; }
    constexpr T* end() { return data_ + size_; }
    constexpr T const* begin() const { return data_; }
    constexpr T const* end() const { return data_ + size_; }

    constexpr void push_back(T const& value) {
        const T copy = value;  // it may be an element of this list, which is about to move
        if (size_ == capacity_) reserve(capacity_ == 0 ? 16 : 2 * capacity_);
        data_[size_++] = copy;
    }
    constexpr void pop_back() { --size_; }
    constexpr void clear() { size_ = 0; }
    constexpr void resize(std::size_t n, T const& value = T{}) {
        if (n > capacity_) reserve(n > 2 * capacity_ ? n : 2 * capacity_);
        for (std::size_t i = size_; i < n; ++i) data_[i] = value;
        size_ = n;
    }
    constexpr void assign(std::size_t n, T const& value) {
        size_ = 0;
        resize(n, value);
    }
    constexpr void reserve(std::size_t n) {
        if (n <= capacity_) return;
        T* const moved = new T[n]{};
        for (std::size_t i = 0; i < size_; ++i) moved[i] = data_[i];
        delete[] data_;
        data_ = moved;
        capacity_ = n;
    }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0, capacity_ = 0;

    template <class U>
    static constexpr void swap(U& a, U& b) {
        U t = a;
        a = b;
        b = t;
    }
};

}  // namespace tenet
