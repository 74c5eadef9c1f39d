import { expect, test } from 'vitest';
import { computed } from './values.ts';

test.each([
  ['input2d', [-0.360144562, -0.401114522, 0.910183441, -0.091332837, -0.839191675]],
  ['backbone.norm.bias', [-0.944243939, 0.488819041, -0.19264995, 0.247839083, 0.538913308]],
  ['head.mlp.0.weight', [-0.539325153, 0.876686412, -0.478958418, -0.132203883, -0.409403975]],
])('computed values of %s', (name, samples) => {
  const u = computed(name);
  samples.forEach((sample, i) => {
    expect(u(i)).toBeCloseTo(sample, 8);
  });
});
