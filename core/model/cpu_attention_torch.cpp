#include "core/model/cpu_attention_torch.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/cpu/attention_bf16.h"

// at::parallel_for is a template: where it is compiled without OpenMP it runs on one thread.
#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "compile this file with OpenMP"
#endif

namespace ropescope {
namespace {

void parallelFor(std::int64_t count, const cpu::RangeWork& work) {
  at::parallel_for(0, count, /*grain_size=*/1, work);
}

const cpu::Bfloat16* bits(const at::Tensor& x) {
  return reinterpret_cast<const cpu::Bfloat16*>(x.const_data_ptr<at::BFloat16>());
}

cpu::Heads heads(const at::Tensor& x) {
  return {bits(x), x.stride(0), x.stride(1)};
}

cpu::MutableHeads writableHeads(at::Tensor& x) {
  return {reinterpret_cast<cpu::Bfloat16*>(x.mutable_data_ptr<at::BFloat16>()), x.stride(0),
          x.stride(1)};
}

at::Tensor withRowsInOnePiece(const at::Tensor& x) {
  return x.stride(2) == 1 ? x : x.contiguous();
}

// [heads, tokens, D] in the order of memory that a projection makes and takes: token by token.
at::Tensor emptyByToken(const at::Tensor& like) {
  return at::empty({like.size(1), like.size(0), like.size(2)}, like.options()).transpose(0, 1);
}

cpu::AttentionSizes sizesOf(const at::Tensor& q, const at::Tensor& k) {
  return {.heads = q.size(0),
          .kvHeads = k.size(0),
          .tokens = q.size(1),
          .keys = k.size(1),
          .headDim = static_cast<int>(q.size(2)),
          .scale = 1.0 / std::sqrt(static_cast<double>(q.size(2))),
          .mask = cpu::Mask::Causal};
}

// The kernel reads what these shapes say, so they are asked once more here.
void checkShapes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes() && q.size(1) <= k.size(1) &&
                  q.size(2) == k.size(2),
              "causal attention wants q [H, T, D] and k, v [G, S, D] with T up to S, found ",
              q.sizes(), ", ", k.sizes(), " and ", v.sizes());
}

void checkForward(const at::Tensor& gradOutput, const at::Tensor& q, const FlashForward& forward) {
  TORCH_CHECK(gradOutput.sizes() == q.sizes() && forward.output.sizes() == q.sizes() &&
                  forward.logSumExp.sizes() == q.sizes().slice(0, 2),
              "the gradient ", gradOutput.sizes(), ", the output ", forward.output.sizes(),
              " and the log-sum-exps ", forward.logSumExp.sizes(), " do not belong to q ",
              q.sizes());
}

void check(const Status& status) {
  TORCH_CHECK(status, status ? std::string() : status.error().message);
}

}  // namespace

bool cpuKernelServes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const auto serves = [](const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kBFloat16;
  };
  return serves(q) && serves(k) && serves(v) && cpu::attentionHeadSize(q.size(2)) &&
         cpu::attentionBf16Supported();
}

AttentionResult attendOnCpuKernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  checkShapes(q, k, v);
  const at::Tensor queries = withRowsInOnePiece(q);
  const at::Tensor keys = withRowsInOnePiece(k);
  const at::Tensor values = withRowsInOnePiece(v);
  at::Tensor output = emptyByToken(q);
  at::Tensor logSumExp = at::empty({q.size(0), q.size(1)}, q.options().dtype(at::kFloat));
  check(cpu::attendBf16(sizesOf(q, k),
                        {.q = heads(queries),
                         .k = heads(keys),
                         .v = heads(values),
                         .output = writableHeads(output),
                         .logSumExp = logSumExp.mutable_data_ptr<float>()},
                        parallelFor));
  return {output, logSumExp};
}

FlashGradients backwardOnCpuKernel(const at::Tensor& gradOutput, const at::Tensor& q,
                                   const at::Tensor& k, const at::Tensor& v,
                                   const FlashForward& forward) {
  checkShapes(q, k, v);
  TORCH_CHECK(q.size(1) == k.size(1), "the backward pass is square, found ", q.size(1),
              " queries and ", k.size(1), " keys");
  checkForward(gradOutput, q, forward);
  const at::Tensor queries = withRowsInOnePiece(q);
  const at::Tensor keys = withRowsInOnePiece(k);
  const at::Tensor values = withRowsInOnePiece(v);
  const at::Tensor output = withRowsInOnePiece(forward.output);
  const at::Tensor gradRows = withRowsInOnePiece(gradOutput);
  const at::Tensor logSumExp = forward.logSumExp.contiguous();
  FlashGradients gradients{emptyByToken(q), emptyByToken(k), emptyByToken(v)};
  check(cpu::attendBf16Backward(sizesOf(q, k),
                                {.gradOutput = heads(gradRows),
                                 .q = heads(queries),
                                 .k = heads(keys),
                                 .v = heads(values),
                                 .output = heads(output),
                                 .logSumExp = logSumExp.const_data_ptr<float>(),
                                 .gradQ = writableHeads(gradients.q),
                                 .gradK = writableHeads(gradients.k),
                                 .gradV = writableHeads(gradients.v)},
                                parallelFor));
  return gradients;
}

}  // namespace ropescope
