/** The optimizers on plain arrays, computed as in the reference (spec §4). */
import type { UpdateRequest } from './engine.js';

/** A trained tensor with its optimizer state. */
export interface Trained {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly average: Float32Array;
}

/** AdamW's ε; AdamATan2 needs none. */
const epsilon = 1e-8;

/**
 * One step t = 1, 2, … in place: the moments m and v are updated first, then the parameters, then their average.
 *   AdamATan2 (spec §4.1): p ← p·(1 − lr·wd) − lr / (1 − β1ᵗ) · atan2(m, √v / √(1 − β2ᵗ))
 *   AdamW:                 p ← p·(1 − lr·wd) − lr / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε)
 * AdamATan2 corrects the bias of m outside the atan2, as the published code does.
 */
export function adamStep(
  { parameters: p, gradient: g, firstMoment: m, secondMoment: v, average }: Trained,
  t: number,
  request: UpdateRequest,
): void {
  const { learningRate, weightDecay, beta1, beta2, emaRate, optimizer } = request;
  const keep = 1 - learningRate * weightDecay;
  const rate = learningRate / (1 - beta1 ** t);
  const root = Math.sqrt(1 - beta2 ** t);
  for (let i = 0; i < p.length; i++) {
    m[i] = m[i]! + (1 - beta1) * (g[i]! - m[i]!);
    v[i] = v[i]! + (1 - beta2) * (g[i]! * g[i]! - v[i]!);
    const deviation = Math.sqrt(v[i]!) / root;
    const step = optimizer === 'adamw' ? m[i]! / (deviation + epsilon) : Math.atan2(m[i]!, deviation);
    p[i] = p[i]! * keep - rate * step;
    average[i] = emaRate * average[i]! + (1 - emaRate) * p[i]!;
  }
}

/**
 * One step of Muon for a matrix [rows, columns], in place: p ← p·(1 − lr·wd) − lr · 0.2·√(longer side) · O,
 * where O is β1·m + (1 − β1)·g (m: moving average of the gradients), made nearly orthogonal.
 * The factor gives O's entries the size of Adam's steps (arXiv 2502.16982 §2.2),
 * so that one learning rate fits all tensors. The second moment is not used.
 */
export function muonStep(
  { parameters: p, gradient: g, firstMoment: m, average }: Trained,
  [rows, columns]: readonly [number, number],
  request: UpdateRequest,
): void {
  const { learningRate, weightDecay, beta1, emaRate } = request;
  const direction = new Float64Array(p.length);
  for (let i = 0; i < p.length; i++) {
    m[i] = m[i]! + (1 - beta1) * (g[i]! - m[i]!);
    direction[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
  }
  const orthogonal = orthogonalized(direction, rows, columns);
  const rate = learningRate * 0.2 * Math.sqrt(Math.max(rows, columns));
  for (let i = 0; i < p.length; i++) {
    p[i] = p[i]! * (1 - learningRate * weightDecay) - rate * orthogonal[i]!;
    average[i] = emaRate * average[i]! + (1 - emaRate) * p[i]!;
  }
}

/**
 * Muon's Newton–Schulz iterations (K. Jordan 2024), five of X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X:
 * singular values end between 0.7 and 1.2; zeros stay zeros.
 */
function orthogonalized(matrix: Float64Array, rows: number, columns: number): Float64Array {
  if (rows > columns)
    return transposed(orthogonalized(transposed(matrix, rows, columns), columns, rows), columns, rows);
  const norm = Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0)) + 1e-30;
  let x = matrix.map((value) => value / norm);
  for (let iteration = 0; iteration < 5; iteration++) {
    const gram = product(x, transposed(x, rows, columns), columns);
    const square = product(gram, gram, rows);
    const change = product(
      gram.map((value, i) => -4.775 * value + 2.0315 * square[i]!),
      x,
      rows,
    );
    x = x.map((value, i) => 3.4445 * value + change[i]!);
  }
  return x;
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** left [·, depth] times right [depth, ·]. */
function product(left: Float64Array, right: Float64Array, depth: number): Float64Array {
  const [rows, columns] = [left.length / depth, right.length / depth];
  const out = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < depth; k++) {
      const factor = left[row * depth + k]!;
      for (let column = 0; column < columns; column++)
        out[row * columns + column]! += factor * right[k * columns + column]!;
    }
  }
  return out;
}

/**
 * SignSGD on the rows of the puzzle table that a batch used (spec §4.2):
 * row ← row·(1 − lr·wd) − lr·sign(Σ gradients of its seats); other rows stay as they are.
 * `rows` [ids, size], `gradients` [B, size], `ids` [B].
 */
export function signSgdStep(
  rows: Float32Array,
  gradients: Float32Array,
  ids: Int32Array,
  learningRate: number,
  weightDecay: number,
): void {
  const size = gradients.length / ids.length;
  const sums = new Map<number, Float64Array>();
  ids.forEach((id, seat) => {
    const sum = sums.get(id) ?? new Float64Array(size);
    for (let i = 0; i < size; i++) sum[i]! += gradients[seat * size + i]!;
    sums.set(id, sum);
  });
  for (const [id, sum] of sums) {
    for (let i = 0; i < size; i++) {
      const at = id * size + i;
      rows[at] = rows[at]! * (1 - learningRate * weightDecay) - learningRate * Math.sign(sum[i]!);
    }
  }
}
