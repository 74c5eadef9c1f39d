import {
  add,
  batchMatMul,
  concat,
  differentiable,
  mul,
  reshape,
  rows,
  slice,
  softmax,
  stack,
  sub,
  sum,
  type Tensor,
  transpose,
} from '../../engine/ops/index.ts';

export interface AttentionShape {
  readonly batch: number;
  readonly heads: number;
  /** Patches of an image among the queries; 0 when only class tokens query. */
  readonly queries: number;
  /** Patches of an image among keys and values. */
  readonly keys: number;
  /** Class tokens of an image, which query and answer beside its patches. Default 1. */
  readonly classTokens?: 0 | 1;
}

/** [B · n, h · d] → [B, h, n, d] */
function toHeads(x: Tensor, batch: number, heads: number): Tensor {
  const [count, channels] = x.shape as [number, number];
  const [n, d] = [count / batch, channels / heads];
  if (heads === 1 || n === 1) return reshape(x, [batch, heads, n, d]);
  return transpose(reshape(x, [batch, n, heads, d]), [0, 2, 1, 3]);
}

/** [B, h, n, d] → [B · n, h · d] */
function fromHeads(x: Tensor): Tensor {
  const [batch, heads, n, d] = x.shape as [number, number, number, number];
  const shape = [batch * n, heads * d];
  return heads === 1 || n === 1 ? reshape(x, shape) : reshape(transpose(x, [0, 2, 1, 3]), shape);
}

/** [B (1 + m), 2 h d], class rows first → keys and values together, [2, B, h, 1 + m, d] */
function toKeysAndValues(kv: Tensor, { batch, heads, keys, classTokens = 1 }: AttentionShape): Tensor {
  const d = kv.shape[1]! / (2 * heads);
  if (classTokens === 0) return transpose(reshape(kv, [batch, keys, 2, heads, d]), [2, 0, 3, 1, 4]);
  const classes = reshape(rows(kv, 0, batch), [batch, 1, 2, heads, d]);
  const patches = reshape(rows(kv, batch, batch * keys), [batch, keys, 2, heads, d]);
  return transpose(concat([classes, patches], 1), [2, 0, 3, 1, 4]);
}

/** The reverse of `toKeysAndValues`. */
function fromKeysAndValues(keysAndValues: Tensor, { batch, heads, keys, classTokens = 1 }: AttentionShape): Tensor {
  const d = keysAndValues.shape[4]!;
  if (classTokens === 0) return reshape(transpose(keysAndValues, [1, 3, 0, 2, 4]), [batch * keys, 2 * heads * d]);
  const all = transpose(keysAndValues, [3, 1, 0, 2, 4]); // [1 + m, B, 2, h, d]
  const channels = 2 * heads * d;
  const classes = reshape(rows(all, 0, 1), [batch, channels]);
  const patches = transpose(reshape(rows(all, 1, keys), [keys, batch, channels]), [1, 0, 2]);
  return concat([classes, reshape(patches, [batch * keys, channels])], 0);
}

/** softmax′: ds = p (dp − Σ p dp) over the last axis. */
function softmaxGradient(dProbability: Tensor, probability: Tensor): Tensor {
  const weighted = mul(dProbability, probability);
  return sub(weighted, mul(probability, sum(weighted, [3], true)));
}

/**
 * Multi-head attention, softmax(q kᵀ / √d) v for each head.
 * Class tokens and patches query separately, so that their rows need not be interleaved image by image.
 * @param q queries [B (1 + n), h d], class rows first (without class tokens [B n, h d])
 * @param kv keys and values [B (1 + m), 2 h d], class rows first (without class tokens [B m, 2 h d])
 * @returns in the shape of `q`
 *
 * Gradient, with p = softmax(s), s = q kᵀ / √d: dv = pᵀ do, dp = do vᵀ, ds = softmax′(dp), dq = ds k / √d, dk = dsᵀ q / √d.
 */
export function attention(q: Tensor, kv: Tensor, shape: AttentionShape): Tensor {
  const { batch, heads, queries, classTokens = 1 } = shape;
  const factor = (q.shape[1]! / heads) ** -0.5;
  const groups: (readonly [begin: number, n: number])[] = [];
  if (classTokens > 0) groups.push([0, batch]);
  if (queries > 0) groups.push([classTokens * batch, batch * queries]);
  const split = (x: Tensor) =>
    groups.length === 1
      ? [toHeads(x, batch, heads)]
      : groups.map(([begin, n]) => toHeads(rows(x, begin, n), batch, heads));
  const join = (parts: Tensor[]) => (parts.length === 1 ? fromHeads(parts[0]!) : concat(parts.map(fromHeads), 0));
  const part = (keysAndValues: Tensor, index: number) =>
    reshape(rows(keysAndValues, index, 1), keysAndValues.shape.slice(1));

  return differentiable(
    [q, kv],
    (save) => {
      const keysAndValues = toKeysAndValues(kv, shape);
      const keys = mul(part(keysAndValues, 0), factor);
      const values = part(keysAndValues, 1);
      const asked = split(q);
      const probabilities = asked.map((x) => softmax(batchMatMul(x, keys, false, true)));
      save(keys, values, ...asked, ...probabilities);
      return join(probabilities.map((p) => batchMatMul(p, values)));
    },
    (dy, [keys, values, ...rest]) => {
      const [asked, probabilities] = [rest.slice(0, groups.length), rest.slice(groups.length)];
      const parts = split(dy).map((dOut, i) => {
        const probability = probabilities[i]!;
        const dScore = softmaxGradient(batchMatMul(dOut, values!, false, true), probability);
        return {
          dQuery: batchMatMul(dScore, keys!),
          dKeys: batchMatMul(dScore, asked[i]!, true),
          dValues: batchMatMul(probability, dOut, true),
        };
      });
      const total = (tensors: Tensor[]) => tensors.reduce((a, b) => add(a, b));
      const dKeys = mul(total(parts.map((p) => p.dKeys)), factor);
      const dValues = total(parts.map((p) => p.dValues));
      return [join(parts.map((p) => p.dQuery)), fromKeysAndValues(stack([dKeys, dValues]), shape)];
    },
  );
}

/**
 * How much class tokens attend to the patches, mean over heads: their rows of softmax(q kᵀ / √d), without their attention to themselves. For
 * looking at, so it has no gradient of its own.
 * @param q as for `attention`, with class rows
 * @param kv as for `attention`
 * @returns [B, m]
 */
export function classAttention(q: Tensor, kv: Tensor, shape: AttentionShape): Tensor {
  const { batch, heads, keys } = shape;
  const factor = (q.shape[1]! / heads) ** -0.5;
  const asked = toHeads(rows(q, 0, batch), batch, heads);
  const keysAndValues = toKeysAndValues(kv, shape);
  const ofKeys = mul(reshape(rows(keysAndValues, 0, 1), keysAndValues.shape.slice(1)), factor);
  const probability = softmax(batchMatMul(asked, ofKeys, false, true)); // [B, h, 1, 1 + m]
  const mean = mul(reshape(sum(probability, [1], false), [batch, 1 + keys]), 1 / heads);
  return slice(mean, [0, 1], [batch, keys]);
}
