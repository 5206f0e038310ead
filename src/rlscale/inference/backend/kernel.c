/* The sums over (shape, noise, evaluation) of the posterior, compiled: what backend/plain.py does with numpy.

   A plain C library without Python: backend/compiled.py loads it with ctypes. The body is compiled once for each kind of
   processor (any, and x86 with AVX2 or AVX-512), and the best one is chosen when it is called. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FOR(name) name##_any
#define WIDE 4
#include "kernel_body.h"
#undef FOR

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HAS_X86
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define FOR(name) name##_avx2
#include "kernel_body.h"
#undef FOR
#pragma GCC pop_options
#undef WIDE
#define WIDE 8
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,fma")
#define FOR(name) name##_avx512
#include "kernel_body.h"
#undef FOR
#pragma GCC pop_options
#endif

enum { ANY, AVX2, AVX512 };

static int kind(void)
{
#ifdef HAS_X86
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return AVX2;
#endif
    return ANY;
}

#ifdef HAS_X86
#define CHOSEN(name, arguments) \
    switch (kind()) { \
    case AVX512: return name##_avx512 arguments; \
    case AVX2: return name##_avx2 arguments; \
    default: return name##_any arguments; \
    }
#else
#define CHOSEN(name, arguments) return name##_any arguments;
#endif

/* Changed with every change of what the functions take or give; compiled.py refuses another one. */
int rlscale_version(void) { return 2; }

/* Shapes in a block. */
int rlscale_wide(void) { return kind() == AVX512 ? 8 : 4; }

void rlscale_rises(int form, const double *constants, const double *curve, long cells, const double *m,
                   const double *b, double *rises)
{
    CHOSEN(rises, (form, constants, curve, cells, m, b, rises))
}

void rlscale_shares(int form, const double *constants, long n, const double *x, long cells, const double *m,
                    const double *b, long stride, double *out)
{
    CHOSEN(shares, (form, constants, n, x, cells, m, b, stride, out))
}

double rlscale_search(const double *curve, long step, long cells, const double *rises, const double *log_prior,
                      double *log_density)
{
    CHOSEN(search, (curve, step, cells, rises, log_prior, log_density))
}

long rlscale_weigh(const double *curve, long cells, const double *rises, const double *log_prior, double best,
                   const double *limits, double *scratch, long stride, double *out, int64_t *place)
{
    CHOSEN(weigh, (curve, cells, rises, log_prior, best, limits, scratch, stride, out, place))
}
