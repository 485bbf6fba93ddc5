/* A small HTTP/1.1 server in a child process, one more child per connection. */
#ifndef RATMOM_CTEST_SERVER_H
#define RATMOM_CTEST_SERVER_H

#include <sys/types.h>

#define BIG 1000000 /* bytes of /big */

/* /small /big (chunked) /close (until the end) /echo (reads a body) /hang (after
 * the head) /silent */
pid_t serve(int *port);

#endif
