/* The sums over (shape, noise, evaluation) of the posterior, compiled: what backend/plain.py does with numpy.

   A plain C library without Python: backend/compiled.py loads it with ctypes. The body is compiled twice, for any
   processor and for x86 with AVX2, and the better one is chosen when it is called. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FOR(name) name##_any
#include "kernel_body.h"
#undef FOR

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HAS_AVX2
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define FOR(name) name##_avx2
#include "kernel_body.h"
#undef FOR
#pragma GCC pop_options
#endif

#ifdef HAS_AVX2
#define CHOSEN(call_any, call_avx2) \
    (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? (call_avx2) : (call_any))
#else
#define CHOSEN(call_any, call_avx2) (call_any)
#endif

/* Changed with every change of what the functions take or give; compiled.py refuses another one. */
int rlscale_version(void) { return 1; }

void rlscale_rises(int form, const double *constants, const double *curve, long cells, const double *m,
                   const double *b, const double *offset, double *rises)
{
    CHOSEN(rises_any(form, constants, curve, cells, m, b, offset, rises),
           rises_avx2(form, constants, curve, cells, m, b, offset, rises));
}

double rlscale_search(const double *curve, long step, long cells, const double *rises, const double *log_prior,
                      double *log_density)
{
    return CHOSEN(search_any(curve, step, cells, rises, log_prior, log_density),
                  search_avx2(curve, step, cells, rises, log_prior, log_density));
}

long rlscale_weigh(const double *curve, long cells, const double *rises, const double *log_prior, double best,
                   const double *limits, double *scratch, long stride, double *out, int64_t *place)
{
    return CHOSEN(weigh_any(curve, cells, rises, log_prior, best, limits, scratch, stride, out, place),
                  weigh_avx2(curve, cells, rises, log_prior, best, limits, scratch, stride, out, place));
}
