// ponder upcycle.
#include "rl/commands/arguments.h"
#include "rl/commands/tool_commands.h"

namespace rl {

void add_upcycle(CLI::App& app, Command& command) {
  static UpcycleCommandOptions options;
  auto& how = options.how;
  auto* upcycle =
      app.add_subcommand("upcycle", "Make a mixture of experts of a dense model")
          ->footer(
              "Examples:\n"
              "  ponder upcycle models/smollm2-135m models/smollm2-8x2 --experts 8 --active 2\n"
              "      8 copies of each feed-forward layer, 2 for a token: a mixtral\n"
              "  ponder upcycle models/smollm2-135m models/smollm2-fine --experts 32 --active 4 --granularity 4\n"
              "      each layer cut into 4 slices, 8 copies of each slice\n\n"
              "An expert is a slice of the dense layer, of 1 / --granularity of its width; --experts, --active and --shared count\n"
              "slices. The first --shared slices are for every token, the others are routed. Each routed slice gets equally many\n"
              "copies, so --experts is a multiple of (granularity - shared).\n"
              "The new model computes what the dense one does, up to rounding, when --active is a multiple of\n"
              "(granularity - shared) and --noise is 0: the router's weights sum to 1 over copies of the same slice, and its rows\n"
              "are tied so that a token gets every slice. Where the output differs, the command says why.\n"
              "llama and mistral become mixtral, qwen3 becomes qwen3_moe, deepseek_v2 and deepseek_v3 become deepseek_v3 (which\n"
              "needs --shared 1 or more). --family qwen3_moe turns a llama into a qwen3_moe, whose norms of queries and keys change\n"
              "the output.\n"
              "The folder appears whole or not at all.");
  upcycle->add_option("DENSE", options.dense, "The folder of a dense model")->required();
  upcycle->add_option("OUT", options.out, "The folder to write; it must be new or empty")->required();
  upcycle->add_option("--experts", how.experts, "Routed experts of each layer")->required();
  upcycle->add_option("--active", how.active, "Routed experts that a token visits")->required();
  upcycle->add_option("--shared", how.shared, "Slices that every token visits (deepseek_v3)")->capture_default_str();
  upcycle->add_option("--granularity", how.granularity, "Slices that a dense layer is cut into")->capture_default_str();
  upcycle->add_option("--noise", how.noise, "Sets copies apart: normals of this share of each matrix's root mean square")->capture_default_str();
  upcycle->add_option("--seed", how.seed, "Of the router and the noise")->capture_default_str();
  upcycle->add_option("--family", how.family, "mixtral, qwen3_moe or deepseek_v3; the one that keeps the output, if left out");
  upcycle->add_flag("--force", options.force, "Replace a model folder that is there");
  upcycle->callback([&] { command = [&] { return run_upcycle(options); }; });
}

}  // namespace rl
