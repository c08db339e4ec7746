#include "rl/commands/reward_choice.h"

#include "kernels/error.h"
#include "rl/config.h"

namespace rl {

std::vector<reward::Settings> chosen_rewards(const std::string& name_or_file, const std::string& profile) {
  std::vector<reward::Settings> all(1);
  all[0].name = name_or_file;
  if (name_or_file.ends_with(".toml")) all = read_reward_file(name_or_file);
  bool taken = profile.empty();
  for (auto& settings : all) {
    if (profile.empty() || settings.kind != "builtin" || !reward::builtin_has_option(settings.name, "profile")) continue;
    std::erase_if(settings.options, [](const auto& option) { return option.first == "profile"; });
    settings.options.emplace_back("profile", profile);
    taken = true;
  }
  if (!taken) kernels::fail_usage("--profile {}: {} has no option `profile`. Leave it out.", profile, name_or_file);
  return all;
}

std::unique_ptr<reward::Reward> make_chosen(const std::vector<reward::Settings>& settings) {
  const reward::Settings& first = settings.at(0);
  const bool whole = first.role == "metric" || (first.weight == 1 && first.role == "sum" && first.applies_to.empty() &&
                                                first.datasets.empty());
  if (settings.size() == 1 && whole) return reward::make_reward(first);
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> parts;
  for (const auto& s : settings) parts.emplace_back(s, reward::make_reward(s));
  return reward::make_sum(std::move(parts));
}

}  // namespace rl
