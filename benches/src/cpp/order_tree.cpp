// GNU pb_ds: an order-statistic red-black tree beside a std::unordered_map, behind a C interface.
//
// What it is not: tuned beyond what its manual shows. Members are compared and hashed as integers,
// so that byte strings are no handicap: `hi` and `lo` are the big-endian halves of an id's 16
// bytes (15 of text, zeros after them, and the length last), so they order as the text does.

#include <cstddef>
#include <cstdint>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <tuple>
#include <unordered_map>

namespace {

std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    return x ^ (x >> 32);
}

struct Text {
    std::uint64_t hi, lo;
    Text(std::uint64_t h, std::uint64_t l) : hi(h), lo(l) {}
    bool operator<(const Text& o) const { return hi != o.hi ? hi < o.hi : lo < o.lo; }
    bool operator==(const Text& o) const { return hi == o.hi && lo == o.lo; }
    std::uint64_t hash() const { return mix(hi ^ mix(lo)); }
    std::uint64_t last_byte() const {
        const unsigned at = (lo & 0xff) - 1;
        return (at < 8 ? hi >> (56 - 8 * at) : lo >> (56 - 8 * (at - 8))) & 0xff;
    }
};

struct Number {
    std::uint64_t hi;
    Number(std::uint64_t h, std::uint64_t) : hi(h) {}
    bool operator<(const Number& o) const { return hi < o.hi; }
    bool operator==(const Number& o) const { return hi == o.hi; }
    std::uint64_t hash() const { return mix(hi); }
    std::uint64_t last_byte() const { return hi & 0xff; }
};

template <class Member>
struct Hash {
    std::size_t operator()(const Member& m) const { return m.hash(); }
};

template <class Member>
struct Entry {
    std::uint64_t score;
    Member member;
    bool operator<(const Entry& o) const {
        return score != o.score ? score < o.score : member < o.member;
    }
};

// The same sums as `Sum` in data.rs makes.
struct Sum {
    std::uint64_t members = 0, scores = 0;
    template <class Member>
    void add(const Entry<Member>& e) {
        members = (members << 7 | members >> 57) ^ (e.member.hi + e.member.last_byte());
        scores += e.score;
    }
};

template <class Member>
struct Board {
    using Tree = __gnu_pbds::tree<Entry<Member>, __gnu_pbds::null_type, std::less<Entry<Member>>,
                                  __gnu_pbds::rb_tree_tag,
                                  __gnu_pbds::tree_order_statistics_node_update>;
    Tree tree;
    std::unordered_map<Member, std::uint64_t, Hash<Member>> scores;

    void set(Member m, std::uint64_t score) {
        auto [found, is_new] = scores.try_emplace(m, score);
        if (!is_new) {
            tree.erase(Entry<Member>{found->second, m});
            found->second = score;
        }
        tree.insert(Entry<Member>{score, m});
    }
    bool remove(Member m) {
        auto found = scores.find(m);
        if (found == scores.end()) return false;
        tree.erase(Entry<Member>{found->second, m});
        scores.erase(found);
        return true;
    }
    std::size_t rank(Member m) const {
        auto found = scores.find(m);
        if (found == scores.end()) return SIZE_MAX;
        return tree.order_of_key(Entry<Member>{found->second, m});
    }
    Sum page(std::size_t start, std::size_t len) const {
        Sum sum;
        auto at = tree.find_by_order(start);
        for (; len > 0 && at != tree.end(); --len, ++at) sum.add(*at);
        return sum;
    }
    std::size_t count(std::uint64_t low, std::uint64_t high) const {
        const Member least(0, 0);
        return tree.order_of_key(Entry<Member>{high + 1, least}) -
               tree.order_of_key(Entry<Member>{low, least});
    }
};

template <class Member>
Board<Member>& at(void* board) {
    return *static_cast<Board<Member>*>(board);
}

}  // namespace

#define BOARD(name, Member)                                                                      \
    extern "C" void* name##_new() { return new Board<Member>(); }                                \
    extern "C" void name##_free(void* b) { delete &at<Member>(b); }                              \
    extern "C" void name##_set(void* b, std::uint64_t hi, std::uint64_t lo, std::uint64_t s) {   \
        at<Member>(b).set(Member(hi, lo), s);                                                    \
    }                                                                                            \
    extern "C" bool name##_remove(void* b, std::uint64_t hi, std::uint64_t lo) {                 \
        return at<Member>(b).remove(Member(hi, lo));                                             \
    }                                                                                            \
    extern "C" std::size_t name##_rank(void* b, std::uint64_t hi, std::uint64_t lo) {            \
        return at<Member>(b).rank(Member(hi, lo));                                               \
    }                                                                                            \
    extern "C" Sum name##_page(void* b, std::size_t start, std::size_t len) {                    \
        return at<Member>(b).page(start, len);                                                   \
    }                                                                                            \
    extern "C" std::size_t name##_count(void* b, std::uint64_t low, std::uint64_t high) {        \
        return at<Member>(b).count(low, high);                                                   \
    }

BOARD(order_tree_text, Text)
BOARD(order_tree_number, Number)
