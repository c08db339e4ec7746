#include "tests/reward/math/read_tree.h"

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace testing {
namespace {

using reward::math::Index;
using reward::math::Kind;
using reward::math::Node;

const std::map<std::string, Kind> heads{
    {"sum", Kind::sum}, {"product", Kind::product}, {"quotient", Kind::quotient}, {"power", Kind::power},
    {"negation", Kind::negation}, {"root", Kind::root}, {"factorial", Kind::factorial}, {"plus_minus", Kind::plus_minus},
    {"percent", Kind::percent}, {"degrees", Kind::degrees}, {"call", Kind::call}, {"finite_sum", Kind::finite_sum},
    {"finite_product", Kind::finite_product}, {"tuple", Kind::tuple}, {"list", Kind::list}, {"set", Kind::set},
    {"interval", Kind::interval}, {"union", Kind::set_union}, {"intersection", Kind::set_intersection},
    {"difference", Kind::set_difference}, {"matrix", Kind::matrix}, {"ratio", Kind::ratio}, {"relation", Kind::relation},
    {"and", Kind::conjunction}, {"or", Kind::disjunction}, {"quantity", Kind::quantity}, {"choice", Kind::choice},
    {"number_set", Kind::number_set}};

const std::map<std::string, Kind> words{{"pi", Kind::pi}, {"euler", Kind::euler}, {"imaginary", Kind::imaginary},
                                        {"infinity", Kind::infinity}, {"empty_set", Kind::empty_set}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_sign(const std::string& word) {
  return word == "=" || word == "!=" || word == "<" || word == "<=" || word == ">" || word == ">=" || word == "in" ||
         word == "notin" || word == "approx";
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  reward::math::Tree read() {
    tree_.root = node();
    if (!peek().empty()) fail();
    return std::move(tree_);
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error("cannot read the tree from here: " + std::string(rest_)); }

  std::string_view peek() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
    return rest_;
  }

  bool take(char c) {
    if (peek().empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string word() {
    peek();
    size_t length = 0;
    while (length < rest_.size() && rest_[length] != ' ' && rest_[length] != '(' && rest_[length] != ')') ++length;
    if (length == 0) fail();
    const std::string result(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return result;
  }

  std::string quoted() {
    if (!take('"')) fail();
    const auto end = rest_.find('"');
    if (end == std::string_view::npos) fail();
    const std::string result(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return result;
  }

  Index push(Node node) {
    tree_.nodes.push_back(std::move(node));
    return static_cast<Index>(tree_.nodes.size()) - 1;
  }

  Index leaf() {
    if (peek()[0] == '"') return push({Kind::text, quoted(), 0, {}});
    const auto text = word();
    if (const auto known = words.find(text); known != words.end()) return push({known->second, "", 0, {}});
    const auto base = text.find('_');
    if (base != std::string::npos && (is_digit(text[0]) || (text[0] <= 'F' && base > 1)))
      return push({Kind::based, text.substr(0, base), std::stoll(text.substr(base + 1)), {}});
    if (!is_digit(text[0])) return push({Kind::symbol, text, 0, {}});
    const auto scale = text.find('e');
    if (text.find('.') == std::string::npos && scale == std::string::npos) return push({Kind::integer, text, 0, {}});
    return push({Kind::decimal, text.substr(0, scale), scale == std::string::npos ? 0 : std::stoll(text.substr(scale + 1)), {}});
  }

  void read_details(Node& node) {
    if (node.kind == Kind::call || node.kind == Kind::choice || node.kind == Kind::number_set) node.text = word();
    if (node.kind == Kind::quantity) node.text = quoted();
    if (node.kind == Kind::matrix) node.number = std::stoll(word());
    if (node.kind == Kind::plus_minus) node.number = peek()[0] == '-' ? (take('-'), -1) : 1;
    if (node.kind == Kind::interval) {
      const auto ends = quoted();
      node.number = (ends[0] == '[' ? 1 : 0) + (ends[1] == ']' ? 2 : 0);
    }
    while (node.kind == Kind::relation && !peek().empty()) {
      const auto before = rest_;
      if (rest_[0] == '(' || rest_[0] == '"') return;
      const auto sign = word();
      if (!is_sign(sign)) return void(rest_ = before);
      node.text += (node.text.empty() ? "" : " ") + sign;
    }
  }

  Index node() {
    if (peek().empty()) fail();
    if (!take('(')) return leaf();
    const auto head = word();
    const auto known = heads.find(head);
    Node node;
    node.kind = known == heads.end() ? Kind::function : known->second;
    if (node.kind == Kind::function) node.text = head;
    read_details(node);
    while (!take(')')) node.children.push_back(this->node());
    return push(std::move(node));
  }

  std::string_view rest_;
  reward::math::Tree tree_;
};

}  // namespace

reward::math::Tree read_tree(std::string_view text) { return Reader(text).read(); }

}  // namespace testing
