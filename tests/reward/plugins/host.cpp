// The child of an isolated library, as the program's hidden command is.
#include "reward/plugins/plugins.h"

int main(int argc, char** argv) { return argc == 2 ? reward::serve_library(argv[1]) : 2; }
