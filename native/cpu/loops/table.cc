// The loops of one level of vector instructions, as a table. Compiled once for each; all but the table is made local to its object file
// (scripts/setup/engine.mjs), so that no code of a wide level is ever taken for that of a narrow one.
#include "cpu/loops.h"

#include "cpu/loops/attention.h"
#include "cpu/loops/dropout.h"
#include "cpu/loops/embedding.h"
#include "cpu/loops/few_rows.h"
#include "cpu/loops/logprob.h"
#include "cpu/loops/quantize.h"
#include "cpu/loops/rotary.h"
#include "cpu/loops/rows.h"

namespace clha {
namespace {

template <typename T>
constexpr RealLoops<T> kReal = {attention<T>, attention_backward<T>, rotate<T>, add_rows<T>, cap_logits<T>, read_targets<T>, to_gradient<T>};

template <typename T>
constexpr RowLoops<T> kRows = {drop<T>, drop_back<T>, norm<T>, norm_backward<T>, gated<T>, gated_backward<T>};

}  // namespace

// CLHA_LOOPS: loops_default, loops_avx2 or loops_avx512
extern const Loops CLHA_LOOPS;
constinit const Loops CLHA_LOOPS = {kReal<float>,
                          kReal<double>,
                          kRows<float>,
                          kRows<double>,
                          kRows<c10::BFloat16>,
                          {few_rows<float>, nullptr, nullptr},
                          {few_rows<c10::BFloat16>, nullptr, nullptr},
                          {few_rows<int8_t>, widen, quantize},
                          {few_rows<Nf4>, widen, quantize}};

}  // namespace clha
