/* What ring's C asks of <assert.h>, as with NDEBUG. */
#pragma once
#define assert(ignored) ((void)0)
