// Files of a run that grow line by line: metrics.jsonl, states.jsonl, events.jsonl; and TensorBoard's, record by record.
//
// What the disk refuses waits in memory and goes first the next time: a disk that was full for a while leaves whole lines, each
// once and in order. A kill may leave half a line at the end; whoever writes next cuts it off before its own first line.
#pragma once

#include <mutex>
#include <string>

namespace rl {

class LineLog {
 public:
  explicit LineLog(std::string file);
  // `line` without its newline. A disk that refuses it is told on stderr, once until it takes lines again.
  void append(const std::string& line);
  void append_record(const std::string& bytes);  // as it is, to a new file of one's own
  void retry();  // what waits, if anything does
  // All lines are on the disk. Throws kernels::Error when they are not.
  void sync();

 private:
  void write_pending();
  bool write_all();

  std::mutex mutex_;
  std::string file_, pending_;
  bool begun_ = false;    // this process has written to the file
  bool told_ = false;
  int error_ = 0;         // errno of the last refusal; 0: none
};

// The one log of a file in this process. `file` must be spelt the same each time.
LineLog& line_log(const std::string& file);
// Of all logs. sync_lines throws what the first one that fails says.
void retry_lines();
void sync_lines();

}  // namespace rl
