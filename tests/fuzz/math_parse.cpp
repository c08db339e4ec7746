// Any bytes: the parser returns, and its tree is sound. The first tree serves as the gold of a second reading.
#include <cstdlib>

#include "reward/math/parse.h"

using namespace reward::math;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

const Tree* check(const std::variant<Tree, ParseError>& parsed, const Limits& limits) {
  const auto* tree = std::get_if<Tree>(&parsed);
  if (!tree) {
    require(!std::get<ParseError>(parsed).reason.empty());
    return nullptr;
  }
  require(tree->root >= 0 && static_cast<size_t>(tree->root) < tree->nodes.size());
  require(static_cast<int64_t>(tree->nodes.size()) <= limits.nodes);
  std::vector<int64_t> depth(tree->nodes.size(), 1);
  for (size_t k = 0; k < tree->nodes.size(); ++k)
    for (const Index child : tree->nodes[k].children) {
      require(child >= 0 && static_cast<size_t>(child) < k);
      depth[k] = std::max(depth[k], depth[static_cast<size_t>(child)] + 1);
    }
  require(depth[static_cast<size_t>(tree->root)] <= limits.depth);
  require(!to_string(*tree).empty());
  return tree;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Limits limits;
  const auto first = parse(text, limits);
  if (const Tree* tree = check(first, limits)) check(parse(text, limits, tree), limits);
  return 0;
}
