import { type DownstreamConfig, type DownstreamSpec, supervisionName } from '../../model/downstream.ts';
import type { Frozen, Problem } from './types.ts';

/** The group of the optimiser that a parameter belongs to: its layer, for a learning rate of its own. */
export function groupOfLayer(layer: number): string {
  return `layer${layer}`;
}

/** Factors of the learning rate by group: 1 at the head, `decay` times less with each layer before it. */
export function rateFactors(specs: readonly DownstreamSpec[], decay: number): Record<string, number> {
  const last = Math.max(...specs.map(({ layer }) => layer));
  return Object.fromEntries(specs.map(({ layer }) => [groupOfLayer(layer), decay ** (last - layer)]));
}

/** The parameters that may move where `frozen` stays as it is. */
export function movable(specs: readonly DownstreamSpec[], frozen: Frozen): DownstreamSpec[] {
  const rests = {
    none: () => false,
    encoder: ({ pretrained }: DownstreamSpec) => pretrained?.startsWith('backbone.transformer.') ?? false,
    backbone: ({ group }: DownstreamSpec) => group === 'backbone',
    all: ({ name }: DownstreamSpec) => !/^(head_new|cls_conv|ds\d_cls_conv)\./.test(name),
  }[frozen];
  return specs.filter((spec) => spec.learns && !rests(spec));
}

/** The parameters that a problem's loss depends on: without deep supervision that is not its classifiers, with it not the coarsest one. */
export function reached(
  config: DownstreamConfig,
  problem: Problem,
  specs: readonly DownstreamSpec[],
): DownstreamSpec[] {
  if (problem.task === 'classification') return [...specs];
  const scales = config.backbone.decoder.dims.length + 1;
  const unused = Array.from({ length: problem.deepSupervision ? 1 : scales }, (_, i) => `${supervisionName(i)}.`);
  return specs.filter(({ name }) => !unused.some((prefix) => name.startsWith(prefix)));
}
