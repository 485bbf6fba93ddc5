package cgo

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// What malloc has given out and free has not got back; 0 where that is not known.
static size_t heap_in_use(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
#else
    return 0;
#endif
}
*/
import "C"

// HeapInUse is the number of bytes that are allocated in C, for tests; 0 where that is not known, as under
// sanitizers and on systems without the GNU C library.
func HeapInUse() int64 { return int64(C.heap_in_use()) }
