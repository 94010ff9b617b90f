/* What libopus uses of <math.h>: single WebAssembly instructions inline, the rest from
   engine/web/src/libc.rs. */
#ifndef VJAM_MATH_H
#define VJAM_MATH_H

#define HUGE_VAL __builtin_huge_val()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)

static inline double fabs(double x) { return __builtin_fabs(x); }
static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }
static inline float sqrtf(float x) { return __builtin_sqrtf(x); }
static inline double floor(double x) { return __builtin_floor(x); }
static inline float floorf(float x) { return __builtin_floorf(x); }
static inline double ceil(double x) { return __builtin_ceil(x); }
static inline long lrint(double x) { return (long)__builtin_rint(x); }
static inline long lrintf(float x) { return (long)__builtin_rintf(x); }

double acos(double x);
double atan(double x);
double atan2(double y, double x);
double cos(double x);
double exp(double x);
float expf(float x);
double log(double x);
double log10(double x);
double pow(double x, double y);
double sin(double x);
double tanh(double x);

#endif
