// What signals do to a training run.
#pragma once

namespace rl {

// From the very beginning: SIGUSR1 asks for a checkpoint, and a reader of the output that went away (SIGPIPE) ends nothing.
void install_signal_handlers();
// Once there is something to finish: Ctrl-C and SIGTERM ask the run to stop after the step; a second one ends the program at
// once. SIGHUP asks too, but never more than that: a terminal that closes may send it twice. Under nohup it has no effect.
void install_interrupt_handlers();

bool interrupted();          // by any of them
bool interrupted_by_hand();  // by Ctrl-C or SIGTERM
// A checkpoint was asked for since the last call.
bool take_save_request();

}  // namespace rl
