/* What the rest of the program has of poll and of the clock. */
#ifndef RATMOM_CTEST_BESIDE_H
#define RATMOM_CTEST_BESIDE_H

/* Ends the program unless poll and clock_gettime tell this thread what the kernel does. */
void beside_check(void);
/* Another thread checks that until the end. */
void beside_begin(void);
void beside_end(void);

#endif
