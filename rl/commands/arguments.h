// argv -> a command of commands.h: each function adds one subcommand to the program and sets `command` when the user names
// it. What it reads lives in function-local statics: a process has one command line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "rl/commands/commands.h"

namespace rl {

using Command = std::function<int()>;

void add_train(CLI::App& app, Command& command);
void add_check(CLI::App& app, Command& command);
void add_eval(CLI::App& app, Command& command);
void add_sample(CLI::App& app, Command& command);
void add_sandbox(CLI::App& app, Command& command);
void add_score(CLI::App& app, Command& command);
void add_reward(CLI::App& app, Command& command);
void add_library_host(CLI::App& app, Command& command);
void add_data(CLI::App& app, Command& command);
void add_tokenizer(CLI::App& app, Command& command);
void add_export(CLI::App& app, Command& command);
void add_init(CLI::App& app, Command& command);
void add_logprobs(CLI::App& app, Command& command);
void add_tokenize(CLI::App& app, Command& command);  // and detokenize
void add_inspect(CLI::App& app, Command& command);
void add_upcycle(CLI::App& app, Command& command);
void add_view(CLI::App& app, Command& command);
void add_rescore(CLI::App& app, Command& command);
void add_replay(CLI::App& app, Command& command);
void add_compare(CLI::App& app, Command& command);
void add_small_commands(CLI::App& app, Command& command);

// --model, --best, --base, --template, --system, --template-option, --dtype, --threads, --memory-mb; returns --model.
CLI::Option* add_model_options(CLI::App* app, ModelOptions& options, std::string& dtype);
void add_base_option(CLI::App* app, std::string& base);  // --base, of an adapter

}  // namespace rl
