/* The body of kernel.c, once for each kind of processor: FOR(name) is the name of a function for this kind.

   Shapes come in blocks of WIDE, one vector of this kind; a curve comes as one array of doubles, laid out by
   compiled.py. */

#ifndef RLSCALE_KERNEL_BODY
#define RLSCALE_KERNEL_BODY

enum { LOGISTIC, STRETCHED, GOMPERTZ, TWO_SLOPE, POWER };
/* The quantities of a node, a row each: the first six are known before its gain is cut off by the bounds. */
enum {
    SCALE, GAIN, PRECISION, SHARE, LEVEL, LEVEL_PRECISION, WEIGHT, SPREAD, LOW, HIGH, AT_LOW, AT_ZERO, AT_HIGH, FLIP, MASS,
    DRIFT, DRIFT_LEVEL, DRIFT_REWARD, DRIFT_VARIANCE
};
enum { MOST_STEPS = 16, MOST_NOISES = 64 };

/* What is known of a curve, pointers into its array. */
struct curve {
    long n, correlations, amplitudes, steps;                 /* evaluations, c, a, r */
    double shape, falling, ridge;                            /* a; density where A < R0 */
    double knee, ceiling_scale, ceiling_norm;                /* of an open ceiling; ceiling_scale 0: closed bounds */
    const double *x, *p, *p_near, *u, *u_near;               /* (n,): log compute, 1/noise, neighbours' sum, reward */
    const double *weight, *part, *step;                      /* (n,): of the ramps; the part of its step, which step */
    const double *length, *first, *last;                     /* (r,): root of the length; ramps at the ends */
    const double *rho, *turn;                                /* (c,), (c, r, r) */
    const double *factor;                                    /* (c, a, 4, r): k, k level, k reward, k last */
    const double *level, *centre, *rest, *floor, *constant;  /* (c, a) */
    const double *drift_level, *drift_reward, *drift_variance; /* (c, a); none without a walk */
};

static inline struct curve opened(const double *at)
{
    struct curve c;
    c.n = (long)at[0], c.correlations = (long)at[1], c.amplitudes = (long)at[2], c.steps = (long)at[3];
    c.shape = at[4], c.falling = at[5], c.ridge = at[6];
    c.knee = at[7], c.ceiling_scale = at[8], c.ceiling_norm = at[9];
    long n = c.n, r = c.steps, noises = c.correlations * c.amplitudes;
    at += 10;
#define NEXT(name, size) c.name = at, at += (size)
    NEXT(x, n); NEXT(p, n); NEXT(p_near, n); NEXT(u, n); NEXT(u_near, n);
    NEXT(weight, n); NEXT(part, n); NEXT(step, n);
    NEXT(length, r); NEXT(first, r); NEXT(last, r);
    NEXT(rho, c.correlations); NEXT(turn, c.correlations * r * r);
    NEXT(factor, noises * 4 * r);
    NEXT(level, noises); NEXT(centre, noises); NEXT(rest, noises); NEXT(floor, noises); NEXT(constant, noises);
    NEXT(drift_level, noises); NEXT(drift_reward, noises); NEXT(drift_variance, noises);
#undef NEXT
    return c;
}

#endif

typedef double FOR(vec) __attribute__((vector_size(8 * WIDE)));
typedef int64_t FOR(ints) __attribute__((vector_size(8 * WIDE)));
#define vec FOR(vec)
#define ints FOR(ints)
#define INLINE static inline __attribute__((always_inline))

INLINE vec FOR(all)(double value) { return value - (vec){0.0}; }
INLINE vec FOR(least)(vec a, vec b) { ints less = a < b; return (vec)((less & (ints)a) | (~less & (ints)b)); }
INLINE vec FOR(most)(vec a, vec b) { ints more = a > b; return (vec)((more & (ints)a) | (~more & (ints)b)); }
INLINE vec FOR(load)(const double *from) { vec v; memcpy(&v, from, sizeof v); return v; }
INLINE void FOR(store)(double *to, vec v) { memcpy(to, &v, sizeof v); }

/* exp(x) = 2^n e^r with |r| <= ln 2 / 2 and the series of e^r up to r^13: all bits but the last. */
INLINE vec FOR(exp)(vec x)
{
    const double shift = 0x1.8p52;
    x = FOR(least)(FOR(most)(x, FOR(all)(-708.0)), FOR(all)(708.0));
    vec t = x * 0x1.71547652b82fep0 + shift, n = t - shift;
    vec r = x - n * 0x1.62e42fee00000p-1;
    r = r - n * 0x1.a39ef35793c76p-33;
    vec r2 = r * r, r4 = r2 * r2;
    vec low = (1.0 + r) + r2 * (1.0 / 2 + r * (1.0 / 6));
    vec middle = (1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720 + r * (1.0 / 5040));
    vec high = (1.0 / 40320 + r * (1.0 / 362880)) + r2 * (1.0 / 3628800 + r * (1.0 / 39916800))
               + r4 * (1.0 / 479001600 + r * (1.0 / 6227020800.0));
    vec value = low + r4 * (middle + r4 * high);
    ints power = ((ints)t + 1023) << 52;
    return value * (vec)power;
}

/* ln x of a positive, normal x = 2^e q, sqrt(1/2) <= q < sqrt(2), by the series of atanh((q - 1) / (q + 1)). */
INLINE vec FOR(log)(vec x)
{
    ints bits = (ints)x;
    ints above = (bits - 0x3fe6a09e667f3bcdLL) >> 52; /* arithmetic: the exponent relative to sqrt(1/2) */
    vec q = (vec)(bits - (above << 52));
    ints biased = (above + 2048) | 0x4330000000000000LL;
    vec e = (vec)biased - (0x1p52 + 2048.0);
    vec s = (q - 1.0) / (q + 1.0), z = s * s, z2 = z * z, z4 = z2 * z2;
    vec low = (1.0 / 3 + z * (1.0 / 5)) + z2 * (1.0 / 7 + z * (1.0 / 9));
    vec high = (1.0 / 11 + z * (1.0 / 13)) + z2 * (1.0 / 15 + z * (1.0 / 17)) + z4 * (1.0 / 19 + z * (1.0 / 21));
    return e * 0x1.62e42fefa39efp-1 + (2.0 * s + 2.0 * s * z * (low + z4 * high));
}

INLINE vec FOR(root)(vec x)
{
    for (int k = 0; k < WIDE; k++)
        x[k] = sqrt(x[k]);
    return x;
}

/* ln(1 + x) for x >= 0: what 1 + x rounds away is given back. */
INLINE vec FOR(log1p)(vec x)
{
    vec grown = 1.0 + x, kept = grown - 1.0;
    ints none = kept == 0.0;
    vec divisor = (vec)((none & (ints)FOR(all)(1.0)) | (~none & (ints)kept));
    vec value = FOR(log)(grown) * (x / divisor);
    return (vec)((none & (ints)x) | (~none & (ints)value));
}

/* The normal CDF: e^(t^2) erfc(t) (1 + 2 t) for t >= 0 is a polynomial in (t - 3.75) / (t + 3.75), fitted to 4e-16. */
INLINE vec FOR(normal_cdf)(vec z)
{
    static const double fit[] = {
        0x1.3ccda0b5d5dc2p+0, -0x1.1f367683f8966p-3, 0x1.d5f294815b4eep-9, 0x1.510169d093b1ep-4,
        -0x1.bda9309a2ca2ap-4, 0x1.7a14188ae2e10p-4, -0x1.e0d0fa6d2ae2fp-5, 0x1.d0b0037001e32p-6,
        -0x1.3f603c5c10bdbp-7, 0x1.cc3a13ec5fe8bp-10, 0x1.33fb466bf4b0fp-12, -0x1.303ffce61d791p-12,
        0x1.b13fe29c4adcbp-15, 0x1.7799fa84f9929p-16, -0x1.7fd98bfdd146cp-17, -0x1.06e0d05323891p-20,
        0x1.d41cfdd12ab86p-20, -0x1.b48392232d543p-25, -0x1.0c65f5e7a1e6cp-22, 0x1.429cb8b3e4f47p-26,
        0x1.17bb2c134e042p-25, -0x1.0c63b219c1bd8p-29, -0x1.772004cd8d1abp-29,
    };
    vec t = FOR(least)(FOR(most)(z, -z), FOR(all)(40.0)) * 0x1.6a09e667f3bcdp-1, y = (t - 3.75) / (t + 3.75);
    vec y2 = y * y, even = FOR(all)(fit[22]), odd = FOR(all)(fit[21]);
    for (int k = 20; k >= 0; k -= 2)
        even = even * y2 + fit[k];
    for (int k = 19; k > 0; k -= 2)
        odd = odd * y2 + fit[k];
    vec tail = 0.5 * FOR(exp)(-t * t) * (even + y * odd) / (1.0 + 2.0 * t);
    ints above = z > 0.0;
    return (vec)((above & (ints)(1.0 - tail)) | (~above & (ints)tail));
}

INLINE vec FOR(logistic)(vec z) { return 1.0 / (1.0 + FOR(exp)(-z)); }

INLINE vec FOR(rise)(int form, const double *constants, vec x, vec b)
{
    const double ln2 = 0x1.62e42fefa39efp-1;
    switch (form) {
    case LOGISTIC:
        return FOR(logistic)(b * x);
    case STRETCHED:
        return 1.0 - FOR(exp)(-ln2 * FOR(exp)(FOR(least)(b * x, FOR(all)(30.0))));
    case GOMPERTZ:
        return FOR(exp)(-ln2 * FOR(exp)(FOR(least)(-(b * x), FOR(all)(30.0))));
    case TWO_SLOPE: { /* share, gap, ratio */
        vec fast = FOR(logistic)(b * x), slow = FOR(logistic)(constants[2] * b * (x - constants[1]));
        return (1.0 - constants[0]) * fast + constants[0] * slow;
    }
    default:
        return 1.0 - FOR(exp)(-b * FOR(log)(1.0 + FOR(exp)(FOR(least)(x, FOR(all)(60.0)))));
    }
}

/* How far x is moved so that half of the gain is reached at C_mid. */
INLINE vec FOR(moved)(int form, const double *constants, vec b)
{
    if (form == POWER) /* ln(2^(1/B) - 1) */
        return FOR(log)(FOR(exp)(0x1.62e42fefa39efp-1 / b) - 1.0);
    if (form != TWO_SLOPE)
        return FOR(all)(0.0);
    const double slow = constants[0], fast = 1.0 - slow;
    vec z = FOR(all)(log(0.5 / (0.5 - slow))); /* B x, were the slow rise far away: from there four Newton steps do */
    for (int step = 0; step < 5; step++) {
        vec first = FOR(logistic)(z), second = FOR(logistic)(constants[2] * (z - b * constants[1]));
        z -= (fast * first + slow * second - 0.5)
             / (fast * first * (1.0 - first) + slow * constants[2] * second * (1.0 - second));
    }
    return z / b;
}

/* The rises p s of shapes (m, b): blocks of (n, WIDE). The last block is filled up by the last shape. */
INLINE void FOR(blocks)(int form, const double *constants, const double *curve, long cells, const double *m,
                        const double *b, double *rises)
{
    struct curve c = opened(curve);
    for (long start = 0; start < cells; start += WIDE) {
        double middle[WIDE], exponent[WIDE];
        for (long k = 0; k < WIDE; k++) {
            long at = start + k < cells ? start + k : cells - 1;
            middle[k] = m[at], exponent[k] = b[at];
        }
        vec ex = FOR(load)(exponent), mid = FOR(load)(middle) - FOR(moved)(form, constants, ex);
        for (long t = 0; t < c.n; t++, rises += WIDE)
            FOR(store)(rises, c.p[t] * FOR(rise)(form, constants, c.x[t] - mid, ex));
    }
}

static void FOR(rises)(int form, const double *constants, const double *curve, long cells, const double *m,
                       const double *b, double *rises)
{
    switch (form) { /* once for each form, so that the loops know it */
    case LOGISTIC: FOR(blocks)(LOGISTIC, constants, curve, cells, m, b, rises); break;
    case STRETCHED: FOR(blocks)(STRETCHED, constants, curve, cells, m, b, rises); break;
    case GOMPERTZ: FOR(blocks)(GOMPERTZ, constants, curve, cells, m, b, rises); break;
    case TWO_SLOPE: FOR(blocks)(TWO_SLOPE, constants, curve, cells, m, b, rises); break;
    default: FOR(blocks)(POWER, constants, curve, cells, m, b, rises);
    }
}

/* The rises s of shapes (m, b) at n log computes: a row of `stride` for each compute. */
INLINE void FOR(rows)(int form, const double *constants, long n, const double *x, long cells, const double *m,
                      const double *b, long stride, double *out)
{
    for (long start = 0; start < cells; start += WIDE) {
        double middle[WIDE], exponent[WIDE];
        long many = cells - start < WIDE ? cells - start : WIDE;
        for (long k = 0; k < WIDE; k++) {
            long at = k < many ? start + k : cells - 1;
            middle[k] = m[at], exponent[k] = b[at];
        }
        vec ex = FOR(load)(exponent), mid = FOR(load)(middle) - FOR(moved)(form, constants, ex);
        for (long t = 0; t < n; t++) {
            vec rise = FOR(rise)(form, constants, x[t] - mid, ex);
            if (many == WIDE)
                FOR(store)(out + t * stride + start, rise);
            else
                memcpy(out + t * stride + start, &rise, sizeof(double) * (size_t)many);
        }
    }
}

static void FOR(shares)(int form, const double *constants, long n, const double *x, long cells, const double *m,
                        const double *b, long stride, double *out)
{
    switch (form) {
    case LOGISTIC: FOR(rows)(LOGISTIC, constants, n, x, cells, m, b, stride, out); break;
    case STRETCHED: FOR(rows)(STRETCHED, constants, n, x, cells, m, b, stride, out); break;
    case GOMPERTZ: FOR(rows)(GOMPERTZ, constants, n, x, cells, m, b, stride, out); break;
    case TWO_SLOPE: FOR(rows)(TWO_SLOPE, constants, n, x, cells, m, b, stride, out); break;
    default: FOR(rows)(POWER, constants, n, x, cells, m, b, stride, out);
    }
}

/* Sums (T, L, E) of one block with p, with itself and with u; the sums of the ramps of every step. The rises are taken
   less `end`, that at the last evaluation: where a shape hardly rises its precision would else be a difference of equals. */
struct FOR(sums) {
    vec end, p[3], own[3], u[3], ramp[MOST_STEPS][3];
};

INLINE void FOR(summed)(const struct curve *c, const double *rises, struct FOR(sums) *sums)
{
    vec zero = FOR(all)(0.0), tp = zero, lp = zero, tv = zero, lv = zero, tu = zero, lu = zero;
    vec full[MOST_STEPS][2], part[MOST_STEPS][2];
    vec f0 = zero, f1 = zero, g0 = zero, g1 = zero; /* of the step at hand: weight times v or its neighbours, and part */
    long n = c->n, step = -1;
    for (long j = 0; j < c->steps; j++)
        full[j][0] = full[j][1] = part[j][0] = part[j][1] = zero;
    vec end = FOR(load)(rises + WIDE * (n - 1)) / c->p[n - 1];
    vec before = zero, v = FOR(load)(rises) - c->p[0] * end;
    for (long t = 0; t < n; t++) {
        vec next = t + 1 < n ? FOR(load)(rises + WIDE * (t + 1)) - c->p[t + 1] * end : zero;
        tp += c->p[t] * v, lp += c->p_near[t] * v;
        tu += c->u[t] * v, lu += c->u_near[t] * v;
        tv += v * v, lv += v * before;
        if (c->steps) {
            long here = (long)c->step[t];
            if (here != step) {
                if (step >= 0)
                    full[step][0] = f0, full[step][1] = g0, part[step][0] = f1, part[step][1] = g1;
                f0 = f1 = g0 = g1 = zero, step = here;
            }
            vec own = c->weight[t] * v, near = c->weight[t] * (before + next);
            f0 += own, f1 += c->part[t] * own;
            g0 += near, g1 += c->part[t] * near;
        }
        before = v, v = next;
    }
    if (step >= 0)
        full[step][0] = f0, full[step][1] = g0, part[step][0] = f1, part[step][1] = g1;
    vec first = FOR(load)(rises) - c->p[0] * end, last = before;
    sums->end = end;
    sums->p[0] = tp, sums->p[1] = lp, sums->p[2] = c->p[0] * first + c->p[n - 1] * last;
    sums->u[0] = tu, sums->u[1] = lu, sums->u[2] = c->u[0] * first + c->u[n - 1] * last;
    sums->own[0] = tv, sums->own[1] = 2.0 * lv, sums->own[2] = first * first + last * last;
    vec later0 = zero, later1 = zero; /* a ramp stays at its full height in all later steps */
    for (long j = c->steps - 1; j >= 0; j--) {
        sums->ramp[j][0] = c->length[j] * (part[j][0] + later0);
        sums->ramp[j][1] = c->length[j] * (part[j][1] + later1);
        sums->ramp[j][2] = c->first[j] * first + c->last[j] * last;
        later0 += full[j][0], later1 += full[j][1];
    }
}

/* What one noise says of the gain. */
struct FOR(node) {
    vec gain, precision, scale, share, drift;
};

INLINE vec FOR(inner)(const vec *sums, double rho) { return (1.0 + rho * rho) * sums[0] - rho * sums[1] - rho * rho * sums[2]; }

/* a = Q' <H, v> at one correlation. */
INLINE void FOR(turned)(const struct curve *c, long at, const struct FOR(sums) *sums, vec *a)
{
    long r = c->steps;
    const double *turn = c->turn + at * r * r;
    vec inner[MOST_STEPS];
    for (long j = 0; j < r; j++)
        inner[j] = FOR(inner)(sums->ramp[j], c->rho[at]);
    for (long i = 0; i < r; i++) {
        vec sum = FOR(all)(0.0);
        for (long j = 0; j < r; j++)
            sum += turn[i * r + j] * inner[j];
        a[i] = sum;
    }
}

INLINE struct FOR(node) FOR(noise)(const struct curve *c, long noise, vec end, vec by_p, vec own, vec by_u, const vec *a)
{
    long r = c->steps;
    const double *k = c->factor + noise * 4 * r;
    struct FOR(node) node;
    node.drift = FOR(all)(0.0);
    if (r && k[0] > 0.0) {
        vec p = FOR(all)(0.0), v = p, u = p, d = p;
        for (long j = 0; j < r; j++) {
            p += k[r + j] * a[j], v += (k[j] * a[j]) * a[j];
            u += k[2 * r + j] * a[j], d += k[3 * r + j] * a[j];
        }
        by_p -= p, own -= v, by_u -= u, node.drift = d + end * c->drift_level[noise];
    }
    vec share = by_p / c->level[noise];
    node.share = share + end;
    node.precision = FOR(most)(own - by_p * share, FOR(all)(c->ridge));
    node.gain = (by_u - by_p * c->centre[noise]) / node.precision;
    vec left = c->rest[noise] - node.precision * node.gain * node.gain;
    node.scale = 0.5 * FOR(most)(left, FOR(all)(0.0)) + c->floor[noise];
    return node;
}

/* Squared distance of value from [0, 1] in its own variance. */
INLINE vec FOR(outside)(vec value, vec by_gain, vec variance, double level)
{
    vec away = FOR(most)(value - 0.5, 0.5 - value) - 0.5;
    away = FOR(most)(away, FOR(all)(0.0));
    return away * away / (by_gain * by_gain * variance + 1.0 / level);
}

/* Nodes.rough: the log weight and the log mass inside the bounds, to about a nat. */
INLINE vec FOR(rough)(const struct curve *c, long noise, const struct FOR(node) *node)
{
    vec variance = 1.0 / node->precision, start = c->centre[noise] - node->share * node->gain;
    vec cost = FOR(most)(FOR(outside)(start, node->share, variance, c->level[noise]),
                         FOR(outside)(start + node->gain, 1.0 - node->share, variance, c->level[noise]));
    cost = node->scale + 0.5 * cost;
    vec spread = node->precision + node->scale * (6.283185307179586 / c->shape);
    vec value = c->constant[noise] - c->shape * FOR(log)(cost) - 0.5 * FOR(log)(spread);
    ints falls = node->gain < -1e-100; /* FALLS of nodes.py */
    value += (vec)(falls & (ints)FOR(all)(log(c->falling)));
    if (c->ceiling_scale > 0.0) {
        vec likeliest = c->centre[noise] + (1.0 - node->share) * node->gain;
        likeliest = FOR(least)(FOR(most)(likeliest, FOR(all)(0.0)), FOR(all)(1.0));
        vec far = FOR(most)(likeliest - c->knee, FOR(all)(0.0)) / c->ceiling_scale;
        value -= FOR(log)(1.0 + far * far) + c->ceiling_norm;
    }
    return value;
}

/* Rough log densities of cells, summed over the noises of every step-th correlation; the highest of a node. */
static double FOR(search)(const double *curve, long step, long cells, const double *rises, const double *log_prior,
                          double *log_density)
{
    struct curve c = opened(curve);
    struct FOR(sums) sums;
    vec a[MOST_STEPS], values[MOST_NOISES];
    double best = -INFINITY;
    for (long start = 0; start < cells; start += WIDE, rises += WIDE * c.n) {
        FOR(summed)(&c, rises, &sums);
        vec peak = FOR(all)(-INFINITY);
        long count = 0;
        for (long at = 0; at < c.correlations; at += step) {
            vec by_p = FOR(inner)(sums.p, c.rho[at]), own = FOR(inner)(sums.own, c.rho[at]);
            vec by_u = FOR(inner)(sums.u, c.rho[at]);
            FOR(turned)(&c, at, &sums, a);
            for (long k = 0; k < c.amplitudes; k++) {
                long noise = at * c.amplitudes + k;
                if (c.constant[noise] == -INFINITY) /* an amplitude that is ruled out */
                    continue;
                struct FOR(node) node = FOR(noise)(&c, noise, sums.end, by_p, own, by_u, a);
                values[count] = FOR(rough)(&c, noise, &node);
                peak = FOR(most)(peak, values[count++]);
            }
        }
        vec total = FOR(all)(0.0);
        for (long k = 0; k < count; k++)
            total += FOR(exp)(values[k] - peak);
        total = FOR(log)(total) + peak;
        for (long k = 0; k < WIDE && start + k < cells; k++) {
            log_density[start + k] = total[k] + log_prior[start + k];
            double highest = peak[k] + log_prior[start + k];
            best = highest > best ? highest : best;
        }
    }
    return best;
}

/* The interval of G outside which R0 or A is out of bounds, but for a negligible mass (Conditionals.gain_limits), and
   the levels of its distribution there (gain_levels): in place, for `count` nodes whose first quantities are known. */
INLINE void FOR(truncated)(const struct curve *c, long count, long stride, double reach, double z_reach, double *out,
                           int64_t *place)
{
    const double freedom = 2.0 * c->shape, factor = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0);
    for (long start = 0; start < count; start += WIDE, out += WIDE, place += WIDE) {
        long many = count - start < WIDE ? count - start : WIDE;
        for (long k = many; k < WIDE; k++) /* fill up the last block */
            for (int q = 0; q <= WEIGHT; q++)
                out[q * stride + k] = out[q * stride];
#define AT(quantity) FOR(load)(out + (quantity) * stride)
        vec scale = AT(SCALE), gain = AT(GAIN), precision = AT(PRECISION), level = AT(LEVEL);
        vec share = FOR(most)(AT(SHARE), FOR(all)(1e-9)), rest = FOR(most)(1.0 - AT(SHARE), FOR(all)(1e-9));
        vec spread = FOR(root)(scale / (c->shape * precision)), room = 1.0 - level;
        vec high = FOR(least)(FOR(all)(1.0), FOR(least)(level / share, room / rest));
        vec low = FOR(most)(FOR(all)(-1.0), -FOR(least)(level / rest, room / share));
        vec away = FOR(most)(gain - FOR(most)(high, low), FOR(least)(low, high) - gain);
        away = FOR(most)(away, FOR(all)(0.0));
        vec sd = FOR(root)((scale + 0.5 * precision * away * away) / (c->shape * AT(LEVEL_PRECISION)));
        vec slack = reach * sd / FOR(least)(share, rest);
        high = FOR(most)(FOR(least)(high + slack, FOR(all)(1.0)), FOR(all)(-1.0 + 1e-9));
        low = FOR(most)(FOR(least)(low - slack, high - 1e-9), FOR(all)(-1.0));
        vec zero = FOR(least)(FOR(most)(low, FOR(all)(0.0)), high), far = spread * z_reach;
        ints cut = (gain - zero < far) | (high - gain < far);
        vec edge[3] = {low, zero, high}, at[3];
        for (int k = 0; k < 3; k++) { /* t_to_normal */
            vec t = (edge[k] - gain) / spread;
            vec z = FOR(root)(FOR(log1p)(t * t / freedom) * (freedom * factor * factor));
            ints below = t < 0.0;
            edge[k] = (vec)((below & (ints)(-z)) | (~below & (ints)z));
        }
        ints upper = edge[0] > 0.0;
        vec flip = (vec)((upper & (ints)FOR(all)(-1.0)) | (~upper & (ints)FOR(all)(1.0)));
        for (int k = 0; k < 3; k++)
            at[k] = FOR(normal_cdf)(flip * edge[k]);
        vec mass = FOR(most)(flip * ((at[2] - at[1]) + c->falling * (at[1] - at[0])), FOR(all)(1e-300));
        mass = (vec)((cut & (ints)mass) | (~cut & (ints)FOR(all)(1.0)));
        vec values[] = {spread, low, high, at[0], at[1], at[2], flip, mass, AT(WEIGHT) + FOR(log)(mass)};
        const int quantity[] = {SPREAD, LOW, HIGH, AT_LOW, AT_ZERO, AT_HIGH, FLIP, MASS, WEIGHT};
        for (int q = 0; q < 9; q++)
            memcpy(out + quantity[q] * stride, &values[q], sizeof(double) * (size_t)many);
        for (long k = 0; k < many; k++)
            place[k] = 2 * place[k] + (cut[k] != 0);
#undef AT
    }
}

/* The nodes of a curve and family within `negligible` nats of the best density before truncation or `best`, what is
   lower: cell by cell, their quantities in rows of `stride` doubles, and 2 (cell * noises + noise) + cut of each.
   `limits` are REACH, its quantile of the t and `negligible`; `scratch` has room for 6 noises * cells, the cells rounded
   up to WIDE, and `out` and `place` for WIDE more than all nodes. Returns the number of nodes. */
static long FOR(weigh)(const double *curve, long cells, const double *rises, const double *log_prior, double best,
                       const double *limits, double *scratch, long stride, double *out, int64_t *place)
{
    struct curve c = opened(curve);
    struct FOR(sums) sums;
    vec a[MOST_STEPS], highest = FOR(all)(-INFINITY);
    long noises = c.correlations * c.amplitudes, padded = (cells + WIDE - 1) / WIDE * WIDE, row = noises * padded;
    for (long start = 0; start < cells; start += WIDE, rises += WIDE * c.n) {
        double prior[WIDE];
        for (long k = 0; k < WIDE; k++)
            prior[k] = start + k < cells ? log_prior[start + k] : -INFINITY;
        FOR(summed)(&c, rises, &sums);
        for (long at = 0; at < c.correlations; at++) {
            vec by_p = FOR(inner)(sums.p, c.rho[at]), own = FOR(inner)(sums.own, c.rho[at]);
            vec by_u = FOR(inner)(sums.u, c.rho[at]);
            FOR(turned)(&c, at, &sums, a);
            for (long k = 0; k < c.amplitudes; k++) {
                long noise = at * c.amplitudes + k;
                struct FOR(node) node = FOR(noise)(&c, noise, sums.end, by_p, own, by_u, a);
                vec weight = c.constant[noise] - c.shape * FOR(log)(node.scale) - 0.5 * FOR(log)(node.precision);
                weight += FOR(load)(prior);
                highest = FOR(most)(highest, weight);
                double *to = scratch + noise * padded + start;
                FOR(store)(to, weight), FOR(store)(to + row, node.scale), FOR(store)(to + 2 * row, node.gain);
                FOR(store)(to + 3 * row, node.precision), FOR(store)(to + 4 * row, node.share);
                FOR(store)(to + 5 * row, node.drift);
            }
        }
    }
    double top = highest[0];
    for (int k = 1; k < WIDE; k++)
        top = highest[k] > top ? highest[k] : top;
    const double lowest = (best < top ? best : top) - limits[2];
    long count = 0;
    for (long cell = 0; cell < cells; cell++)
        for (long noise = 0; noise < noises; noise++) {
            const double *from = scratch + noise * padded + cell;
            if (!(*from > lowest))
                continue;
            double *to = out + count;
            to[WEIGHT * stride] = from[0], to[SCALE * stride] = from[row], to[GAIN * stride] = from[2 * row];
            to[PRECISION * stride] = from[3 * row], to[SHARE * stride] = from[4 * row];
            to[LEVEL * stride] = c.centre[noise], to[LEVEL_PRECISION * stride] = c.level[noise];
            if (c.steps) {
                to[DRIFT * stride] = from[5 * row], to[DRIFT_LEVEL * stride] = c.drift_level[noise];
                to[DRIFT_REWARD * stride] = c.drift_reward[noise], to[DRIFT_VARIANCE * stride] = c.drift_variance[noise];
            }
            place[count++] = cell * noises + noise;
        }
    FOR(truncated)(&c, count, stride, limits[0], limits[1], out, place);
    return count;
}

#undef INLINE
#undef vec
#undef ints
