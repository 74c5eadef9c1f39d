import type { Builder, Value } from './builder.ts';
import type { Call } from './call.ts';

/** New values of variables. In the module, a variable is the value that it has at this place of the step. */

/** The variables of a step, by the operand that names them. */
export interface State {
  /** The present value of the variable that operand `i` names. */
  read(i: number): Value;
  write(i: number, value: Value): void;
}

/** Writes the new values of an op's variables. @returns the op's outputs: the value that was read, or none */
export type StateLowering = (b: Builder, call: Call, state: State) => readonly Value[];

const add = (b: Builder, x: Value, y: Value) => b.same('stablehlo.add', x, y);
const sub = (b: Builder, x: Value, y: Value) => b.same('stablehlo.subtract', x, y);
const mul = (b: Builder, x: Value, y: Value) => b.same('stablehlo.multiply', ...b.together(x, y));

/** value ← op(value, operand 1) */
const change =
  (op: (b: Builder, x: Value, y: Value) => Value): StateLowering =>
  (b, call, state) => {
    state.write(0, op(b, state.read(0), b.broadcast(call.tensor(1), state.read(0).shape)));
    return [];
  };

/** Operands: p, m, v, powers of β₁ and β₂, rate, β₁, β₂, ε, g. */
function adam(b: Builder, call: Call, state: State): Value[] {
  const g = call.tensor(9);
  const one = b.like({ dtype: g.dtype, shape: [] }, 1);
  const [power1, power2, rate, beta1, beta2, epsilon] = [3, 4, 5, 6, 7, 8].map((i) => call.tensor(i)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  // Written as TensorFlow's kernel computes it.
  const alpha = b.same(
    'stablehlo.divide',
    mul(b, rate, b.same('stablehlo.sqrt', sub(b, one, power2))),
    sub(b, one, power1),
  );
  const m = add(b, state.read(1), mul(b, sub(b, g, state.read(1)), sub(b, one, beta1)));
  const v = add(b, state.read(2), mul(b, sub(b, mul(b, g, g), state.read(2)), sub(b, one, beta2)));
  const deviation = add(b, b.same('stablehlo.sqrt', v), b.broadcast(epsilon, v.shape));
  state.write(1, m);
  state.write(2, v);
  state.write(0, sub(b, state.read(0), b.same('stablehlo.divide', mul(b, m, alpha), deviation)));
  return [];
}

/** Operands: p, velocity, rate, g, momentum. */
function momentum(b: Builder, call: Call, state: State): Value[] {
  const [rate, g, share] = [call.tensor(2), call.tensor(3), call.tensor(4)];
  const velocity = add(b, mul(b, state.read(1), share), g);
  state.write(1, velocity);
  const ahead = call.bool('use_nesterov') ? add(b, g, mul(b, velocity, share)) : velocity;
  state.write(0, sub(b, state.read(0), mul(b, ahead, rate)));
  return [];
}

export const stateUpdates: Readonly<Record<string, StateLowering>> = {
  ReadVariableOp: (_b, _call, state) => [state.read(0)],
  AssignVariableOp: (_b, call, state) => {
    state.write(0, call.tensor(1));
    return [];
  },
  AssignAddVariableOp: change(add),
  AssignSubVariableOp: change(sub),
  ResourceApplyGradientDescent: (b, call, state) => {
    state.write(0, sub(b, state.read(0), mul(b, call.tensor(2), call.tensor(1))));
    return [];
  },
  ResourceApplyMomentum: momentum,
  ResourceApplyAdam: adam,
};
