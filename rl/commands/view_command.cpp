// `ponder view`: the samples of a run, in the terminal.
#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>

#include "kernels/error.h"
#include "rl/checkpoint_folders.h"
#include "rl/commands/commands.h"
#include "rl/report/terminal.h"
#include "rl/rollouts/view.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

// Of RUN/final, else of its newest checkpoint; null when the run has neither.
std::shared_ptr<const model::Tokenizer> tokenizer_of(const std::string& run) {
  std::string folder = (fs::path(run) / "final").string();
  if (!fs::exists(fs::path(folder) / "tokenizer.json")) folder = newest_checkpoint(run).value_or("");
  return folder.empty() ? nullptr : model::Tokenizer::from_directory(folder);
}

// Keys come one by one and are not shown, until the end of the scope.
class RawTerminal {
 public:
  RawTerminal() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1, raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fmt::print("\033[?1049h");  // the terminal's other screen
  }
  ~RawTerminal() {
    fmt::print("\033[?1049l");
    std::fflush(stdout);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  // "n", "up", ...; "q" at the end of the input.
  std::string key() const {
    char bytes[8];
    const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (n <= 0) return "q";
    if (n >= 3 && bytes[0] == '\033' && bytes[1] == '[') {
      switch (bytes[2]) {
        case 'A': return "up";
        case 'B': return "down";
        case 'C': return "right";
        case 'D': return "left";
        default: return "";
      }
    }
    return std::string(1, bytes[0]);
  }

 private:
  termios before_{};
};

size_t index_of(int64_t number, size_t count, const char* option) {
  if (number < 1 || static_cast<size_t>(number) > count)
    kernels::fail_usage("view: {}: is {}, but the step has 1 to {}.", option, number, count);
  return static_cast<size_t>(number - 1);
}

void browse(const std::vector<DumpedStep>& steps, std::vector<std::vector<DumpedSample>> groups, ViewPlace place,
            const model::Tokenizer* tokenizer, bool colour) {
  const RawTerminal terminal;
  for (std::string key; key != "q"; key = terminal.key()) {
    bool new_step = false;
    if (!key.empty() && !move(place, key, steps, groups, &new_step)) continue;
    if (new_step) groups = read_samples(steps[place.step]);
    fmt::print("\033[H\033[2J{}\n{}\n", sample_page(steps, groups, place, tokenizer, colour),
               "n/p sample   N/P prompt   [ ] step   b/w best, worst   t tokens   q quit");
    std::fflush(stdout);
  }
}

}  // namespace

int run_view(const ViewOptions& options) {
  auto steps = dumped_steps(options.run);
  const std::string stages = step_list(steps);
  std::erase_if(steps, [&](const DumpedStep& s) { return !options.stage.empty() && s.stage != options.stage; });
  if (steps.empty()) kernels::fail_usage("{}: has no samples of a stage \"{}\". There are:\n{}", options.run, options.stage, stages);
  if (options.list) {
    fmt::print("{}", step_list(steps));
    return 0;
  }
  ViewPlace place{.step = steps.size() - 1, .table = options.table};
  if (options.step > 0) {
    const DumpedStep wanted = find_step(options.run, options.stage, options.step);
    for (size_t i = 0; i < steps.size(); ++i)
      if (steps[i].path == wanted.path) place.step = i;
  }
  const auto groups = read_samples(steps[place.step]);
  place.group = index_of(options.prompt, groups.size(), "--prompt");
  place.sample = index_of(options.sample, groups[place.group].size(), "--sample");
  const auto tokenizer = tokenizer_of(options.run);
  const bool colour = wants_colour(STDOUT_FILENO);
  if (is_terminal(STDOUT_FILENO) && is_terminal(STDIN_FILENO)) browse(steps, groups, place, tokenizer.get(), colour);
  else fmt::print("{}", sample_page(steps, groups, place, tokenizer.get(), colour));
  return 0;
}

}  // namespace rl
