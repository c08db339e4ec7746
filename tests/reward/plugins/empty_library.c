/* A library that is no plug-in. */
int ponder_nothing(void) { return 0; }
