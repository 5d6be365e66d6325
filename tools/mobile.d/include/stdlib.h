/* What ring's C asks of <stdlib.h>. */
#pragma once
void abort(void);
