import type { Builder, Value } from './builder.ts';
import { typeOf } from './builder.ts';
import type { Call, Family, Lowering } from './call.ts';

/** Element by element; the operands of binary ops broadcast as in NumPy. */

const binary =
  (op: string): Lowering =>
  (b, call) => [b.same(op, ...b.together(call.tensor(0), call.tensor(1)))];

const unary =
  (op: string): Lowering =>
  (b, call) => [b.same(op, call.tensor(0))];

const comparison =
  (direction: string): Lowering =>
  (b, call) => [b.compare(direction, call.tensor(0), call.tensor(1))];

/** A formula of one operand. */
const formula =
  (of: (b: Builder, x: Value) => Value): Lowering =>
  (b, call) => [of(b, call.tensor(0))];

/** log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|), which does not overflow. */
function softplus(b: Builder, x: Value): Value {
  const tail = b.same(
    'stablehlo.log_plus_one',
    b.same('stablehlo.exponential', b.same('stablehlo.negate', b.same('stablehlo.abs', x))),
  );
  return b.same('stablehlo.add', b.same('stablehlo.maximum', x, b.like(x, 0)), tail);
}

/** x where y > 0, else slope · x. */
function leak(b: Builder, x: Value, y: Value, call: Call): Value {
  const slope = b.like(x, call.float('alpha', 0.2));
  return b.select(b.compare('GT', y, b.like(y, 0)), x, b.same('stablehlo.multiply', x, slope));
}

function erf(b: Builder, x: Value): Value {
  return b.add(x, `chlo.erf ${b.use(x)} : ${typeOf(x)} -> ${typeOf(x)}`);
}

function squaredDifference(b: Builder, call: Call): Value[] {
  const off = b.same('stablehlo.subtract', ...b.together(call.tensor(0), call.tensor(1)));
  return [b.same('stablehlo.multiply', off, off)];
}

function cast(b: Builder, call: Call): Value[] {
  if (call.bool('Truncate')) throw new Error('only rounding to the nearest is supported');
  return [b.convert(call.tensor(0), call.dtype('DstT', 'float32'))];
}

function select(b: Builder, call: Call): Value[] {
  const [yes, no] = b.together(call.tensor(1), call.tensor(2));
  return [b.select(call.tensor(0), yes, no)];
}

export const elementwise: Family = {
  Add: binary('stablehlo.add'),
  AddV2: binary('stablehlo.add'),
  Sub: binary('stablehlo.subtract'),
  Mul: binary('stablehlo.multiply'),
  RealDiv: binary('stablehlo.divide'),
  Maximum: binary('stablehlo.maximum'),
  Minimum: binary('stablehlo.minimum'),
  Pow: binary('stablehlo.power'),
  BitwiseAnd: binary('stablehlo.and'),
  LogicalAnd: binary('stablehlo.and'),
  LogicalOr: binary('stablehlo.or'),
  SquaredDifference: squaredDifference,
  Neg: unary('stablehlo.negate'),
  Abs: unary('stablehlo.abs'),
  Sign: unary('stablehlo.sign'),
  Exp: unary('stablehlo.exponential'),
  Log: unary('stablehlo.log'),
  Log1p: unary('stablehlo.log_plus_one'),
  Sqrt: unary('stablehlo.sqrt'),
  Rsqrt: unary('stablehlo.rsqrt'),
  Tanh: unary('stablehlo.tanh'),
  Sigmoid: unary('stablehlo.logistic'),
  Sin: unary('stablehlo.sine'),
  Cos: unary('stablehlo.cosine'),
  Floor: unary('stablehlo.floor'),
  LogicalNot: unary('stablehlo.not'),
  Square: formula((b, x) => b.same('stablehlo.multiply', x, x)),
  Reciprocal: formula((b, x) => b.same('stablehlo.divide', b.like(x, 1), x)),
  Relu: formula((b, x) => b.same('stablehlo.maximum', x, b.like(x, 0))),
  Erf: formula(erf),
  Softplus: formula(softplus),
  ZerosLike: formula((b, x) => b.like(x, 0)),
  OnesLike: formula((b, x) => b.like(x, 1)),
  Identity: formula((_, x) => x),
  StopGradient: formula((_, x) => x),
  LeakyRelu: (b, call) => [leak(b, call.tensor(0), call.tensor(0), call)],
  LeakyReluGrad: (b, call) => [leak(b, call.tensor(0), call.tensor(1), call)],
  Cast: cast,
  Select: select,
  SelectV2: select,
  Equal: comparison('EQ'),
  NotEqual: comparison('NE'),
  Less: comparison('LT'),
  LessEqual: comparison('LE'),
  Greater: comparison('GT'),
  GreaterEqual: comparison('GE'),
};
