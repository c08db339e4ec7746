// The folder of a run belongs to one process at a time.
#pragma once

#include <string>

namespace rl {

class RunFolder {
 public:
  // Makes the folder and holds it to the end by a lock on its file .lock. With `fresh`, what an earlier run left there first moves
  // to DIRECTORY.1 (or .2, ...), or where the folder cannot take another name (a mount point), to DIRECTORY/earlier.1. Throws
  // UsageError while another process holds it, kernels::Error when the disk refuses.
  RunFolder(const std::string& directory, bool fresh);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;

 private:
  void lock();
  void unlock(const std::string& folder);  // where .lock is by now
  void move_earlier_run_aside();

  std::string directory_;  // without a slash at its end
  int descriptor_ = -1;    // of .lock; -1 where the file system knows no locks
};

// Moves all that is in a folder, itself excepted, into its new subfolder earlier.N, and returns that. For a folder that cannot be
// renamed. Throws kernels::Error.
std::string move_contents_aside(const std::string& directory);

}  // namespace rl
