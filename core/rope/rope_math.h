// The arithmetic that every method starts from. All in double.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rope/rope_method.h"

namespace ropescope::rope {

// theta_i = base^(-2 i / D), i = 0 … P-1, in rad per token.  RoFormer, arXiv:2104.09864, 3.2.2.
std::vector<double> plainInvFreq(const RopeContext& context);
std::vector<double> plainInvFreq(double base, int headDim);

// Tokens per turn: 2 pi / frequency; infinite for a pair that does not turn.
double wavelength(double invFreq);

// Turns that a pair makes within `tokens`.
double turns(double invFreq, std::int64_t tokens);

// NTK-aware base change: b' = b s^(D / (D - 2)), so that the last pair is slowed exactly by s.
double ntkBase(double base, double factor, int headDim);

// A plan with the plain frequencies, the attention factor 1 and the method's name.
RotaryPlan plainPlan(const RopeContext& context, const char* method);

// A value that is known to be there and of this kind (checkedValues has seen to it), or the default.
double numberOr(const ParameterValues& values, const char* name, double fallback);
bool flagOr(const ParameterValues& values, const char* name, bool fallback);
bool hasValue(const ParameterValues& values, const char* name);

}  // namespace ropescope::rope
