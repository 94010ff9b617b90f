/* What libopus uses of <stdlib.h>; the definitions are in engine/web/src/libc.rs. */
#ifndef VJAM_STDLIB_H
#define VJAM_STDLIB_H

#include <stddef.h>

void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *old, size_t bytes);
void free(void *old);

static inline void abort(void) { __builtin_trap(); }
static inline int abs(int x) { return x < 0 ? -x : x; }

#endif
