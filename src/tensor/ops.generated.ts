// Written by scripts/generate-ops.mjs from native/ops.json: do not edit.
import { asTensor, asTensors, operator } from './call.js'
import { placed } from './device.js'
import { type DType, DTYPES } from './dtype.js'
import type { Generator } from './generator.js'
import type { Tensor } from './tensor.js'

const addOperator = operator('aten::add', 'Tensor')
/** Sum, with broadcasting: self + alpha * other. `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor` */
export function add(self: Tensor, other: Tensor, alpha?: number | boolean): Tensor {
  return asTensor(addOperator([self, other, alpha]), 'add')
}

const addScalarOperator = operator('aten::add', 'Scalar')
/** Adds a number to each element. `aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor` */
export function addScalar(self: Tensor, other: number | boolean, alpha?: number | boolean): Tensor {
  return asTensor(addScalarOperator([self, other, alpha]), 'addScalar')
}

const addInPlaceOperator = operator('aten::add_', 'Tensor')
/** Adds to self in place. `aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)` */
export function addInPlace(self: Tensor, other: Tensor, alpha?: number | boolean): Tensor {
  return asTensor(addInPlaceOperator([self, other, alpha]), 'addInPlace')
}

const subOperator = operator('aten::sub', 'Tensor')
/** Difference, with broadcasting. `aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor` */
export function sub(self: Tensor, other: Tensor, alpha?: number | boolean): Tensor {
  return asTensor(subOperator([self, other, alpha]), 'sub')
}

const mulOperator = operator('aten::mul', 'Tensor')
/** Product by element, with broadcasting. `aten::mul.Tensor(Tensor self, Tensor other) -> Tensor` */
export function mul(self: Tensor, other: Tensor): Tensor {
  return asTensor(mulOperator([self, other]), 'mul')
}

const mulScalarOperator = operator('aten::mul', 'Scalar')
/** Multiplies each element by a number. `aten::mul.Scalar(Tensor self, Scalar other) -> Tensor` */
export function mulScalar(self: Tensor, other: number | boolean): Tensor {
  return asTensor(mulScalarOperator([self, other]), 'mulScalar')
}

const mulScalarInPlaceOperator = operator('aten::mul_', 'Scalar')
/** Multiplies self by a number in place. `aten::mul_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)` */
export function mulScalarInPlace(self: Tensor, other: number | boolean): Tensor {
  return asTensor(mulScalarInPlaceOperator([self, other]), 'mulScalarInPlace')
}

const divOperator = operator('aten::div', 'Tensor')
/** Quotient by element, with broadcasting. `aten::div.Tensor(Tensor self, Tensor other) -> Tensor` */
export function div(self: Tensor, other: Tensor): Tensor {
  return asTensor(divOperator([self, other]), 'div')
}

const divScalarOperator = operator('aten::div', 'Scalar')
/** Divides each element by a number. `aten::div.Scalar(Tensor self, Scalar other) -> Tensor` */
export function divScalar(self: Tensor, other: number | boolean): Tensor {
  return asTensor(divScalarOperator([self, other]), 'divScalar')
}

const negOperator = operator('aten::neg', '')
/** Negation. `aten::neg(Tensor self) -> Tensor` */
export function neg(self: Tensor): Tensor {
  return asTensor(negOperator([self]), 'neg')
}

const expOperator = operator('aten::exp', '')
/** Exponential by element. `aten::exp(Tensor self) -> Tensor` */
export function exp(self: Tensor): Tensor {
  return asTensor(expOperator([self]), 'exp')
}

const logOperator = operator('aten::log', '')
/** Natural logarithm by element. `aten::log(Tensor self) -> Tensor` */
export function log(self: Tensor): Tensor {
  return asTensor(logOperator([self]), 'log')
}

const sigmoidOperator = operator('aten::sigmoid', '')
/** Logistic function by element. `aten::sigmoid(Tensor self) -> Tensor` */
export function sigmoid(self: Tensor): Tensor {
  return asTensor(sigmoidOperator([self]), 'sigmoid')
}

const logSigmoidOperator = operator('aten::log_sigmoid', '')
/** ln of the logistic function, safe for large arguments. `aten::log_sigmoid(Tensor self) -> Tensor` */
export function logSigmoid(self: Tensor): Tensor {
  return asTensor(logSigmoidOperator([self]), 'logSigmoid')
}

const siluOperator = operator('aten::silu', '')
/** x * sigmoid(x). `aten::silu(Tensor self) -> Tensor` */
export function silu(self: Tensor): Tensor {
  return asTensor(siluOperator([self]), 'silu')
}

const geluOperator = operator('aten::gelu', '')
/** Gaussian error linear unit: approximate 'none' or 'tanh'. `aten::gelu(Tensor self, *, str approximate="none") -> Tensor` */
export function gelu(self: Tensor, approximate?: string): Tensor {
  return asTensor(geluOperator([self, approximate]), 'gelu')
}

const reluOperator = operator('aten::relu', '')
/** max(x, 0). `aten::relu(Tensor self) -> Tensor` */
export function relu(self: Tensor): Tensor {
  return asTensor(reluOperator([self]), 'relu')
}

const tanhOperator = operator('aten::tanh', '')
/** Hyperbolic tangent by element. `aten::tanh(Tensor self) -> Tensor` */
export function tanh(self: Tensor): Tensor {
  return asTensor(tanhOperator([self]), 'tanh')
}

const swigluOperator = operator('clha::swiglu', '')
/** silu(gate) * up. `clha::swiglu(Tensor gate, Tensor up) -> Tensor` */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return asTensor(swigluOperator([gate, up]), 'swiglu')
}

const swigluComposedOperator = operator('clha::swiglu_composed', '')
/** swiglu from plain operators, for other devices and for tests. `clha::swiglu_composed(Tensor gate, Tensor up) -> Tensor` */
export function swigluComposed(gate: Tensor, up: Tensor): Tensor {
  return asTensor(swigluComposedOperator([gate, up]), 'swigluComposed')
}

const gegluOperator = operator('clha::geglu', '')
/** gelu(gate) * up, with the tanh form of gelu. `clha::geglu(Tensor gate, Tensor up) -> Tensor` */
export function geglu(gate: Tensor, up: Tensor): Tensor {
  return asTensor(gegluOperator([gate, up]), 'geglu')
}

const gegluComposedOperator = operator('clha::geglu_composed', '')
/** geglu from plain operators, for other devices and for tests. `clha::geglu_composed(Tensor gate, Tensor up) -> Tensor` */
export function gegluComposed(gate: Tensor, up: Tensor): Tensor {
  return asTensor(gegluComposedOperator([gate, up]), 'gegluComposed')
}

const sqrtOperator = operator('aten::sqrt', '')
/** Square root by element. `aten::sqrt(Tensor self) -> Tensor` */
export function sqrt(self: Tensor): Tensor {
  return asTensor(sqrtOperator([self]), 'sqrt')
}

const squareOperator = operator('aten::square', '')
/** Square by element. `aten::square(Tensor self) -> Tensor` */
export function square(self: Tensor): Tensor {
  return asTensor(squareOperator([self]), 'square')
}

const sumOperator = operator('aten::sum', '')
/** Sum of all elements. `aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
export function sum(self: Tensor, dtype?: DType | null): Tensor {
  return asTensor(sumOperator([self, dtype && DTYPES[dtype].code]), 'sum')
}

const sumDimOperator = operator('aten::sum', 'dim_IntList')
/** Sum over dimensions. `aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function sumDim(self: Tensor, dim: readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor {
  return asTensor(sumDimOperator([self, dim, keepdim, dtype && DTYPES[dtype].code]), 'sumDim')
}

const meanOperator = operator('aten::mean', '')
/** Mean of all elements. `aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
export function mean(self: Tensor, dtype?: DType | null): Tensor {
  return asTensor(meanOperator([self, dtype && DTYPES[dtype].code]), 'mean')
}

const meanDimOperator = operator('aten::mean', 'dim')
/** Mean over dimensions. `aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function meanDim(self: Tensor, dim: readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor {
  return asTensor(meanDimOperator([self, dim, keepdim, dtype && DTYPES[dtype].code]), 'meanDim')
}

const maxOperator = operator('aten::max', '')
/** Largest element. `aten::max(Tensor self) -> Tensor` */
export function max(self: Tensor): Tensor {
  return asTensor(maxOperator([self]), 'max')
}

const maxDimOperator = operator('aten::max', 'dim')
/** Largest element over a dimension, and where it stands. `aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
export function maxDim(self: Tensor, dim: number, keepdim?: boolean): [Tensor, Tensor] {
  return asTensors(maxDimOperator([self, dim, keepdim]), 'maxDim') as [Tensor, Tensor]
}

const argmaxOperator = operator('aten::argmax', '')
/** Where the largest element over a dimension stands. `aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
export function argmax(self: Tensor, dim?: number | null, keepdim?: boolean): Tensor {
  return asTensor(argmaxOperator([self, dim, keepdim]), 'argmax')
}

const absOperator = operator('aten::abs', '')
/** Absolute value by element. `aten::abs(Tensor self) -> Tensor` */
export function abs(self: Tensor): Tensor {
  return asTensor(absOperator([self]), 'abs')
}

const signOperator = operator('aten::sign', '')
/** -1, 0 or 1 by element. `aten::sign(Tensor self) -> Tensor` */
export function sign(self: Tensor): Tensor {
  return asTensor(signOperator([self]), 'sign')
}

const floorOperator = operator('aten::floor', '')
/** The largest whole number not above each element. `aten::floor(Tensor self) -> Tensor` */
export function floor(self: Tensor): Tensor {
  return asTensor(floorOperator([self]), 'floor')
}

const ceilOperator = operator('aten::ceil', '')
/** The smallest whole number not below each element. `aten::ceil(Tensor self) -> Tensor` */
export function ceil(self: Tensor): Tensor {
  return asTensor(ceilOperator([self]), 'ceil')
}

const isFiniteOperator = operator('aten::isfinite', '')
/** Which elements are neither infinite nor NaN. `aten::isfinite(Tensor self) -> Tensor` */
export function isFinite(self: Tensor): Tensor {
  return asTensor(isFiniteOperator([self]), 'isFinite')
}

const allOperator = operator('aten::all', '')
/** Whether all elements are true. `aten::all(Tensor self) -> Tensor` */
export function all(self: Tensor): Tensor {
  return asTensor(allOperator([self]), 'all')
}

const softmaxOperator = operator('aten::softmax', 'int')
/** Softmax over a dimension. `aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function softmax(self: Tensor, dim: number, dtype?: DType | null): Tensor {
  return asTensor(softmaxOperator([self, dim, dtype && DTYPES[dtype].code]), 'softmax')
}

const logSoftmaxOperator = operator('aten::log_softmax', 'int')
/** Log-softmax over a dimension. `aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function logSoftmax(self: Tensor, dim: number, dtype?: DType | null): Tensor {
  return asTensor(logSoftmaxOperator([self, dim, dtype && DTYPES[dtype].code]), 'logSoftmax')
}

const cumsumOperator = operator('aten::cumsum', '')
/** Running sum over a dimension. `aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
export function cumsum(self: Tensor, dim: number, dtype?: DType | null): Tensor {
  return asTensor(cumsumOperator([self, dim, dtype && DTYPES[dtype].code]), 'cumsum')
}

const sortOperator = operator('aten::sort', 'stable')
/** Stable sort over a dimension: values and indices. `aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)` */
export function sort(self: Tensor, stable: boolean | null, dim?: number, descending?: boolean): [Tensor, Tensor] {
  return asTensors(sortOperator([self, stable, dim, descending]), 'sort') as [Tensor, Tensor]
}

const topkOperator = operator('aten::topk', '')
/** The k largest elements over the last dimension: values and indices. `aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)` */
export function topk(self: Tensor, k: number, dim?: number, largest?: boolean, sorted?: boolean): [Tensor, Tensor] {
  return asTensors(topkOperator([self, k, dim, largest, sorted]), 'topk') as [Tensor, Tensor]
}

const gatherOperator = operator('aten::gather', '')
/** Elements picked by index along a dimension. `aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor` */
export function gather(self: Tensor, dim: number, index: Tensor, sparseGrad?: boolean): Tensor {
  return asTensor(gatherOperator([self, dim, index, sparseGrad]), 'gather')
}

const scatterOperator = operator('aten::scatter', 'src')
/** A copy of self with elements written by index along a dimension. `aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
export function scatter(self: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  return asTensor(scatterOperator([self, dim, index, src]), 'scatter')
}

const searchsortedOperator = operator('aten::searchsorted', 'Tensor')
/** Where values would be inserted into sorted rows. `aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor` */
export function searchsorted(sortedSequence: Tensor, self: Tensor, outInt32?: boolean, right?: boolean, side?: string | null, sorter?: Tensor | null): Tensor {
  return asTensor(searchsortedOperator([sortedSequence, self, outInt32, right, side, sorter]), 'searchsorted')
}

const whereOperator = operator('aten::where', 'self')
/** Elements of one tensor or the other by a condition. `aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor` */
export function where(condition: Tensor, self: Tensor, other: Tensor): Tensor {
  return asTensor(whereOperator([condition, self, other]), 'where')
}

const maskedFillOperator = operator('aten::masked_fill', 'Scalar')
/** A number wherever the mask is true. `aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor` */
export function maskedFill(self: Tensor, mask: Tensor, value: number | boolean): Tensor {
  return asTensor(maskedFillOperator([self, mask, value]), 'maskedFill')
}

const eqOperator = operator('aten::eq', 'Tensor')
/** Equality by element. `aten::eq.Tensor(Tensor self, Tensor other) -> Tensor` */
export function eq(self: Tensor, other: Tensor): Tensor {
  return asTensor(eqOperator([self, other]), 'eq')
}

const matmulOperator = operator('aten::matmul', '')
/** Matrix product over the last two dimensions. `aten::matmul(Tensor self, Tensor other) -> Tensor` */
export function matmul(self: Tensor, other: Tensor): Tensor {
  return asTensor(matmulOperator([self, other]), 'matmul')
}

const mmOperator = operator('aten::mm', '')
/** Matrix product of two matrices. `aten::mm(Tensor self, Tensor mat2) -> Tensor` */
export function mm(self: Tensor, mat2: Tensor): Tensor {
  return asTensor(mmOperator([self, mat2]), 'mm')
}

const bmmOperator = operator('aten::bmm', '')
/** Matrix products of two stacks of matrices. `aten::bmm(Tensor self, Tensor mat2) -> Tensor` */
export function bmm(self: Tensor, mat2: Tensor): Tensor {
  return asTensor(bmmOperator([self, mat2]), 'bmm')
}

const baddbmmOperator = operator('aten::baddbmm', '')
/** beta * self + alpha * the products of two stacks of matrices. `aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function baddbmm(self: Tensor, batch1: Tensor, batch2: Tensor, beta?: number | boolean, alpha?: number | boolean): Tensor {
  return asTensor(baddbmmOperator([self, batch1, batch2, beta, alpha]), 'baddbmm')
}

const linearOperator = operator('clha::linear', '')
/** x @ weight^T + bias: x [T, in], weight [out, in] -> [T, out]. A bf16 x with an f32 weight: a bf16 product, widened. `clha::linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor` */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  return asTensor(linearOperator([x, weight, bias]), 'linear')
}

const embeddingOperator = operator('clha::embedding', '')
/** Rows of weight by index. `clha::embedding(Tensor weight, Tensor ids) -> Tensor` */
export function embedding(weight: Tensor, ids: Tensor): Tensor {
  return asTensor(embeddingOperator([weight, ids]), 'embedding')
}

const rmsNormOperator = operator('clha::rms_norm', '')
/** x / rms(x) * (offset + weight) over the last dimension. `clha::rms_norm(Tensor x, Tensor? weight=None, float eps=9.9999999999999995e-07, float offset=0., ScalarType? dtype=None) -> Tensor` */
export function rmsNorm(x: Tensor, weight?: Tensor | null, eps?: number, offset?: number, dtype?: DType | null): Tensor {
  return asTensor(rmsNormOperator([x, weight, eps, offset, dtype && DTYPES[dtype].code]), 'rmsNorm')
}

const rmsNormComposedOperator = operator('clha::rms_norm_composed', '')
/** rmsNorm from plain operators, for other devices and for tests. `clha::rms_norm_composed(Tensor x, Tensor? weight=None, float eps=9.9999999999999995e-07, float offset=0., ScalarType? dtype=None) -> Tensor` */
export function rmsNormComposed(x: Tensor, weight?: Tensor | null, eps?: number, offset?: number, dtype?: DType | null): Tensor {
  return asTensor(rmsNormComposedOperator([x, weight, eps, offset, dtype && DTYPES[dtype].code]), 'rmsNormComposed')
}

const layerNormOperator = operator('aten::layer_norm', '')
/** (x - mean(x)) / std(x) * weight + bias over the last dimensions. `aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor` */
export function layerNorm(input: Tensor, normalizedShape: readonly number[], weight?: Tensor | null, bias?: Tensor | null, eps?: number, cudnnEnable?: boolean): Tensor {
  return asTensor(layerNormOperator([input, normalizedShape, weight, bias, eps, cudnnEnable]), 'layerNorm')
}

const indexSelectOperator = operator('aten::index_select', '')
/** Rows by index along a dimension. `aten::index_select(Tensor self, int dim, Tensor index) -> Tensor` */
export function indexSelect(self: Tensor, dim: number, index: Tensor): Tensor {
  return asTensor(indexSelectOperator([self, dim, index]), 'indexSelect')
}

const indexAddOperator = operator('aten::index_add', '')
/** A copy of self with rows of source added at index along a dimension. `aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor` */
export function indexAdd(self: Tensor, dim: number, index: Tensor, source: Tensor, alpha?: number | boolean): Tensor {
  return asTensor(indexAddOperator([self, dim, index, source, alpha]), 'indexAdd')
}

const writeRowsOperator = operator('clha::write_rows_', '')
/** self[rows[i]] = source[i], in place; no row twice. `clha::write_rows_(Tensor(a!) self, Tensor rows, Tensor source) -> ()` */
export function writeRows(self: Tensor, rows: Tensor, source: Tensor): void {
  writeRowsOperator([self, rows, source])
}

const narrowOperator = operator('aten::narrow', '')
/** A view of length elements from start along a dimension. `aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)` */
export function narrow(self: Tensor, dim: number, start: number, length: number): Tensor {
  return asTensor(narrowOperator([self, dim, start, length]), 'narrow')
}

const selectOperator = operator('aten::select', 'int')
/** A view of one element along a dimension. `aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)` */
export function select(self: Tensor, dim: number, index: number): Tensor {
  return asTensor(selectOperator([self, dim, index]), 'select')
}

const viewOperator = operator('aten::view', '')
/** The same elements in another shape, without a copy. `aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)` */
export function view(self: Tensor, size: readonly number[]): Tensor {
  return asTensor(viewOperator([self, size]), 'view')
}

const reshapeOperator = operator('aten::reshape', '')
/** The same elements in another shape. `aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)` */
export function reshape(self: Tensor, shape: readonly number[]): Tensor {
  return asTensor(reshapeOperator([self, shape]), 'reshape')
}

const transposeOperator = operator('aten::transpose', 'int')
/** A view with two dimensions exchanged. `aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)` */
export function transpose(self: Tensor, dim0: number, dim1: number): Tensor {
  return asTensor(transposeOperator([self, dim0, dim1]), 'transpose')
}

const permuteOperator = operator('aten::permute', '')
/** A view with the dimensions in another order. `aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)` */
export function permute(self: Tensor, dims: readonly number[]): Tensor {
  return asTensor(permuteOperator([self, dims]), 'permute')
}

const unsqueezeOperator = operator('aten::unsqueeze', '')
/** A view with a dimension of size one. `aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)` */
export function unsqueeze(self: Tensor, dim: number): Tensor {
  return asTensor(unsqueezeOperator([self, dim]), 'unsqueeze')
}

const squeezeOperator = operator('aten::squeeze', 'dim')
/** A view without a dimension of size one. `aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)` */
export function squeeze(self: Tensor, dim: number): Tensor {
  return asTensor(squeezeOperator([self, dim]), 'squeeze')
}

const expandOperator = operator('aten::expand', '')
/** A view that repeats dimensions of size one. `aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)` */
export function expand(self: Tensor, size: readonly number[], implicit?: boolean): Tensor {
  return asTensor(expandOperator([self, size, implicit]), 'expand')
}

const contiguousOperator = operator('aten::contiguous', '')
/** The same elements laid out in row-major order. `aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)` */
export function contiguous(self: Tensor, memoryFormat?: number): Tensor {
  return asTensor(contiguousOperator([self, memoryFormat]), 'contiguous')
}

const splitOperator = operator('aten::split_with_sizes', '')
/** Views of the given sizes along a dimension. `aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]` */
export function split(self: Tensor, splitSizes: readonly number[], dim?: number): Tensor[] {
  return asTensors(splitOperator([self, splitSizes, dim]), 'split')
}

const catOperator = operator('aten::cat', '')
/** Tensors joined along a dimension. `aten::cat(Tensor[] tensors, int dim=0) -> Tensor` */
export function cat(tensors: readonly Tensor[], dim?: number): Tensor {
  return asTensor(catOperator([tensors, dim]), 'cat')
}

const stackOperator = operator('aten::stack', '')
/** Tensors joined along a new dimension. `aten::stack(Tensor[] tensors, int dim=0) -> Tensor` */
export function stack(tensors: readonly Tensor[], dim?: number): Tensor {
  return asTensor(stackOperator([tensors, dim]), 'stack')
}

const cloneOperator = operator('aten::clone', '')
/** A copy. `aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor` */
export function clone(self: Tensor, memoryFormat?: number | null): Tensor {
  return asTensor(cloneOperator([self, memoryFormat]), 'clone')
}

const detachOperator = operator('aten::detach', '')
/** The same memory, without gradient history. `aten::detach(Tensor(a) self) -> Tensor(a)` */
export function detach(self: Tensor): Tensor {
  return asTensor(detachOperator([self]), 'detach')
}

const copyInPlaceOperator = operator('aten::copy_', '')
/** Writes src into self. `aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)` */
export function copyInPlace(self: Tensor, src: Tensor, nonBlocking?: boolean): Tensor {
  return asTensor(copyInPlaceOperator([self, src, nonBlocking]), 'copyInPlace')
}

const toOperator = operator('aten::to', 'dtype')
/** A conversion to another dtype. `aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)` */
export function to(self: Tensor, dtype: DType, nonBlocking?: boolean, copy?: boolean, memoryFormat?: number | null): Tensor {
  return asTensor(toOperator([self, dtype && DTYPES[dtype].code, nonBlocking, copy, memoryFormat]), 'to')
}

const zerosOperator = operator('aten::zeros', '')
/** Zeros. `aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function zeros(size: readonly number[], dtype?: DType | null, layout?: number | null, device?: string | null, pinMemory?: boolean | null): Tensor {
  return asTensor(zerosOperator([size, dtype && DTYPES[dtype].code, layout, placed(device), pinMemory]), 'zeros')
}

const zerosLikeOperator = operator('aten::zeros_like', '')
/** Zeros of the same shape and dtype. `aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function zerosLike(self: Tensor, dtype?: DType | null, layout?: number | null, device?: string | null, pinMemory?: boolean | null, memoryFormat?: number | null): Tensor {
  return asTensor(zerosLikeOperator([self, dtype && DTYPES[dtype].code, layout, device, pinMemory, memoryFormat]), 'zerosLike')
}

const zeroInPlaceOperator = operator('aten::zero_', '')
/** Sets self to zero. `aten::zero_(Tensor(a!) self) -> Tensor(a!)` */
export function zeroInPlace(self: Tensor): Tensor {
  return asTensor(zeroInPlaceOperator([self]), 'zeroInPlace')
}

const fullOperator = operator('aten::full', '')
/** A constant. `aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function full(size: readonly number[], fillValue: number | boolean, dtype?: DType | null, layout?: number | null, device?: string | null, pinMemory?: boolean | null): Tensor {
  return asTensor(fullOperator([size, fillValue, dtype && DTYPES[dtype].code, layout, placed(device), pinMemory]), 'full')
}

const arangeOperator = operator('aten::arange', '')
/** 0, 1, … end - 1. `aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function arange(end: number | boolean, dtype?: DType | null, layout?: number | null, device?: string | null, pinMemory?: boolean | null): Tensor {
  return asTensor(arangeOperator([end, dtype && DTYPES[dtype].code, layout, placed(device), pinMemory]), 'arange')
}

const randnOperator = operator('aten::randn', 'generator')
/** Standard normal numbers from a generator. `aten::randn.generator(SymInt[] size, *, Generator? generator, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function randn(size: readonly number[], generator: Generator | null, dtype?: DType | null, layout?: number | null, device?: string | null, pinMemory?: boolean | null): Tensor {
  return asTensor(randnOperator([size, generator, dtype && DTYPES[dtype].code, layout, device, pinMemory]), 'randn')
}

const dropoutOperator = operator('clha::dropout', '')
/** Inverted dropout; what falls is a function of place and seed. `clha::dropout(Tensor x, float share, int seed) -> Tensor` */
export function dropout(x: Tensor, share: number, seed: number): Tensor {
  return asTensor(dropoutOperator([x, share, seed]), 'dropout')
}

const lowRankInPlaceOperator = operator('clha::low_rank_', '')
/** Adds scale * dropout(x) A^T B^T to y in place: what a low-rank adapter adds to a linear map. `clha::low_rank_(Tensor(a!) y, Tensor x, Tensor a, Tensor b, float scale, float share, int seed) -> Tensor(a!)` */
export function lowRankInPlace(y: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: number, share: number, seed: number): Tensor {
  return asTensor(lowRankInPlaceOperator([y, x, a, b, scale, share, seed]), 'lowRankInPlace')
}

const normalInPlaceOperator = operator('aten::normal_', '')
/** Normal numbers written into self. `aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)` */
export function normalInPlace(self: Tensor, mean?: number, std?: number, generator?: Generator | null): Tensor {
  return asTensor(normalInPlaceOperator([self, mean, std, generator]), 'normalInPlace')
}

const foreachNormOperator = operator('aten::_foreach_norm', 'Scalar')
/** The norm of each tensor of a list. `aten::_foreach_norm.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]` */
export function foreachNorm(self: readonly Tensor[], ord?: number | boolean, dtype?: DType | null): Tensor[] {
  return asTensors(foreachNormOperator([self, ord, dtype && DTYPES[dtype].code]), 'foreachNorm')
}

const foreachMulInPlaceOperator = operator('aten::_foreach_mul_', 'Scalar')
/** Multiplies each tensor of a list by a number in place. `aten::_foreach_mul_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function foreachMulInPlace(self: readonly Tensor[], scalar: number | boolean): void {
  foreachMulInPlaceOperator([self, scalar])
}

const foreachAddInPlaceOperator = operator('aten::_foreach_add_', 'Scalar')
/** Adds a number to each tensor of a list in place. `aten::_foreach_add_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function foreachAddInPlace(self: readonly Tensor[], scalar: number | boolean): void {
  foreachAddInPlaceOperator([self, scalar])
}

const fusedAdamWOperator = operator('clha::fused_adamw_', '')
/** One AdamW update of a list of parameters in place. `clha::fused_adamw_(Tensor(a!)[] self, Tensor[] grads, Tensor(b!)[] exp_avgs, Tensor(c!)[] exp_avg_sqs, Tensor(d!)[] max_exp_avg_sqs, Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()` */
export function fusedAdamW(self: readonly Tensor[], grads: readonly Tensor[], expAvgs: readonly Tensor[], expAvgSqs: readonly Tensor[], maxExpAvgSqs: readonly Tensor[], stateSteps: readonly Tensor[], lr: number, beta1: number, beta2: number, weightDecay: number, eps: number, amsgrad: boolean, maximize: boolean, gradScale?: Tensor | null, foundInf?: Tensor | null): void {
  fusedAdamWOperator([self, grads, expAvgs, expAvgSqs, maxExpAvgSqs, stateSteps, lr, beta1, beta2, weightDecay, eps, amsgrad, maximize, gradScale, foundInf])
}

const fusedAdamWComposedOperator = operator('clha::fused_adamw_composed_', '')
/** fusedAdamW from plain operators, for devices without a kernel of it and for tests. `clha::fused_adamw_composed_(Tensor(a!)[] self, Tensor[] grads, Tensor(b!)[] exp_avgs, Tensor(c!)[] exp_avg_sqs, Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps) -> ()` */
export function fusedAdamWComposed(self: readonly Tensor[], grads: readonly Tensor[], expAvgs: readonly Tensor[], expAvgSqs: readonly Tensor[], stateSteps: readonly Tensor[], lr: number, beta1: number, beta2: number, weightDecay: number, eps: number): void {
  fusedAdamWComposedOperator([self, grads, expAvgs, expAvgSqs, stateSteps, lr, beta1, beta2, weightDecay, eps])
}

const packedAttentionOperator = operator('clha::packed_attention', '')
/** Attention over a packed layout: context and, causally, the segment itself. `clha::packed_attention(Tensor q, Tensor k, Tensor v, Tensor segments, float scale, int window=0, float softcap=0.) -> Tensor` */
export function packedAttention(q: Tensor, k: Tensor, v: Tensor, segments: Tensor, scale: number, window?: number, softcap?: number): Tensor {
  return asTensor(packedAttentionOperator([q, k, v, segments, scale, window, softcap]), 'packedAttention')
}

const packedAttentionComposedOperator = operator('clha::packed_attention_composed', '')
/** packedAttention from plain operators, for other devices and for tests. `clha::packed_attention_composed(Tensor q, Tensor k, Tensor v, Tensor segments, float scale, int window=0, float softcap=0.) -> Tensor` */
export function packedAttentionComposed(q: Tensor, k: Tensor, v: Tensor, segments: Tensor, scale: number, window?: number, softcap?: number): Tensor {
  return asTensor(packedAttentionComposedOperator([q, k, v, segments, scale, window, softcap]), 'packedAttentionComposed')
}

const linearQuantizedOperator = operator('clha::linear_quantized', '')
/** linear with a weight in 8 bits and a scale for each of its rows, or in 4 bits (NF4) and a scale for each block. `clha::linear_quantized(Tensor x, Tensor weight, Tensor scale, Tensor? bias=None) -> Tensor` */
export function linearQuantized(x: Tensor, weight: Tensor, scale: Tensor, bias?: Tensor | null): Tensor {
  return asTensor(linearQuantizedOperator([x, weight, scale, bias]), 'linearQuantized')
}

const linearQuantizedComposedOperator = operator('clha::linear_quantized_composed', '')
/** linearQuantized from plain operators, for tests. `clha::linear_quantized_composed(Tensor x, Tensor weight, Tensor scale, Tensor? bias=None) -> Tensor` */
export function linearQuantizedComposed(x: Tensor, weight: Tensor, scale: Tensor, bias?: Tensor | null): Tensor {
  return asTensor(linearQuantizedComposedOperator([x, weight, scale, bias]), 'linearQuantizedComposed')
}

const quantizeInt8Operator = operator('clha::quantize_int8', '')
/** A matrix in 8 bits, and the scale of each of its rows. `clha::quantize_int8(Tensor weight) -> (Tensor, Tensor)` */
export function quantizeInt8(weight: Tensor): [Tensor, Tensor] {
  return asTensors(quantizeInt8Operator([weight]), 'quantizeInt8') as [Tensor, Tensor]
}

const quantizeNf4Operator = operator('clha::quantize_nf4', '')
/** A matrix in 4 bits (NF4), and the scale of each block of 64 numbers of a row. `clha::quantize_nf4(Tensor weight) -> (Tensor, Tensor)` */
export function quantizeNf4(weight: Tensor): [Tensor, Tensor] {
  return asTensors(quantizeNf4Operator([weight]), 'quantizeNf4') as [Tensor, Tensor]
}

const packedAttentionGatheredOperator = operator('clha::packed_attention_gathered', '')
/** packedAttention over rows that are gathered once a segment: by flash attention where the device has it. `clha::packed_attention_gathered(Tensor q, Tensor k, Tensor v, Tensor segments, float scale, int window=0) -> Tensor` */
export function packedAttentionGathered(q: Tensor, k: Tensor, v: Tensor, segments: Tensor, scale: number, window?: number): Tensor {
  return asTensor(packedAttentionGatheredOperator([q, k, v, segments, scale, window]), 'packedAttentionGathered')
}

const linearLogProbOperator = operator('clha::linear_log_prob', '')
/** Log-probabilities of targets from hidden rows and the LM head, in chunks. `clha::linear_log_prob(Tensor hidden, Tensor weight, Tensor targets, int keep_bytes=0, Tensor? bias=None, float softcap=0.) -> (Tensor logp, Tensor hit)` */
export function linearLogProb(hidden: Tensor, weight: Tensor, targets: Tensor, keepBytes?: number, bias?: Tensor | null, softcap?: number): [Tensor, Tensor] {
  return asTensors(linearLogProbOperator([hidden, weight, targets, keepBytes, bias, softcap]), 'linearLogProb') as [Tensor, Tensor]
}

const linearLogProbComposedOperator = operator('clha::linear_log_prob_composed', '')
/** linearLogProb from plain operators, for other devices and for tests. `clha::linear_log_prob_composed(Tensor hidden, Tensor weight, Tensor targets, Tensor? bias=None, float softcap=0.) -> (Tensor logp, Tensor hit)` */
export function linearLogProbComposed(hidden: Tensor, weight: Tensor, targets: Tensor, bias?: Tensor | null, softcap?: number): [Tensor, Tensor] {
  return asTensors(linearLogProbComposedOperator([hidden, weight, targets, bias, softcap]), 'linearLogProbComposed') as [Tensor, Tensor]
}

const linearLogProbChunkedOperator = operator('clha::linear_log_prob_chunked', '')
/** linearLogProb from plain operators in chunks, for other devices and for tests. `clha::linear_log_prob_chunked(Tensor hidden, Tensor weight, Tensor targets, int chunk_elements=33554432, Tensor? bias=None, float softcap=0.) -> (Tensor logp, Tensor hit)` */
export function linearLogProbChunked(hidden: Tensor, weight: Tensor, targets: Tensor, chunkElements?: number, bias?: Tensor | null, softcap?: number): [Tensor, Tensor] {
  return asTensors(linearLogProbChunkedOperator([hidden, weight, targets, chunkElements, bias, softcap]), 'linearLogProbChunked') as [Tensor, Tensor]
}

const rotaryOperator = operator('clha::rotary', '')
/** Rotary position embedding on packed heads. `clha::rotary(Tensor x, Tensor cos, Tensor sin) -> Tensor` */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  return asTensor(rotaryOperator([x, cos, sin]), 'rotary')
}

const rotaryComposedOperator = operator('clha::rotary_composed', '')
/** rotary from plain operators, for other devices and for tests. `clha::rotary_composed(Tensor x, Tensor cos, Tensor sin) -> Tensor` */
export function rotaryComposed(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  return asTensor(rotaryComposedOperator([x, cos, sin]), 'rotaryComposed')
}

const clampMaxOperator = operator('aten::clamp_max', '')
/** min(self, max). `aten::clamp_max(Tensor self, Scalar max) -> Tensor` */
export function clampMax(self: Tensor, max: number | boolean): Tensor {
  return asTensor(clampMaxOperator([self, max]), 'clampMax')
}

const clampOperator = operator('aten::clamp', '')
/** Each element, no smaller than min and no larger than max. `aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor` */
export function clamp(self: Tensor, min?: number | boolean | null, max?: number | boolean | null): Tensor {
  return asTensor(clampOperator([self, min, max]), 'clamp')
}

const minimumOperator = operator('aten::minimum', '')
/** The smaller element of two tensors. `aten::minimum(Tensor self, Tensor other) -> Tensor` */
export function minimum(self: Tensor, other: Tensor): Tensor {
  return asTensor(minimumOperator([self, other]), 'minimum')
}
