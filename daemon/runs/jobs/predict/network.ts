import { UnimissError } from '../../../../protocol/errors.ts';
import { count } from '../../../../protocol/words.ts';
import type { SafetensorsFile } from '../../../checkpoint/safetensorsReader.ts';
import type { Size3 } from '../../../data/prepared/types.ts';
import type { Engine } from '../../../engine/index.ts';
import { type DownstreamSpec, downstreamTable } from '../../../model/downstream.ts';
import { createForward } from '../../../train/finetune/forward.ts';
import { downstreamOf } from '../../../train/finetune/problem.ts';
import { ParameterSet } from '../../../train/parameters/parameterSet.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import { openRunEngine } from '../../start/openRunEngine.ts';
import type { NetworkSource, NetworkSources } from './networkSource.ts';
import { networkOfRun } from './runNetwork.ts';

/** @param images [1, …, channels] @returns logits: [1, outputs], or [1, D, H / stride, W / stride, outputs] */
export type RunNetwork = (images: Float32Array) => Promise<Float32Array>;

/** A fine-tuned network that is used, or an ensemble: its plan, and the scores of one window or image. */
export interface OpenNetwork {
  readonly plan: NetworkPlan;
  /** Of the checkpoint; of an ensemble, of its first network. */
  readonly step: number;
  /** The networks that it consists of. */
  readonly members: readonly { readonly id: string; readonly step: number }[];
  /** Size of its input; a picture has one slice. */
  readonly window: Size3;
  /** Voxels that a logit of a segmentation stands for along either axis of the plane. */
  readonly stride: 1 | 2;
  /** One function a network. */
  readonly runs: readonly [RunNetwork, ...RunNetwork[]];
  close(): void;
}

/**
 * Opens TensorFlow and a run's network.
 * @param engineOf the run by whose settings TensorFlow is opened: a process that opens several networks has one engine
 * @throws UnimissError 'run' for a run that is no fine-tuning or has not begun, 'checkpoint' where it has none that can be used
 */
export async function openNetwork(
  run: RunFolder,
  checkpoint: 'best' | 'last',
  notice: (message: string) => void,
  engineOf: RunFolder = run,
): Promise<OpenNetwork> {
  const source = await networkOfRun(run);
  const engine = { engine: engineOf.config.engine, versions: await engineOf.versions() };
  return openNetworks([{ ...source, ...engine }], checkpoint, notice);
}

/** As `openNetworks`. */
export type OpenNetworks = typeof openNetworks;

/**
 * Opens TensorFlow, as the first network wants it, and all networks.
 * @throws UnimissError 'checkpoint' where one has no weights that can be used
 */
export async function openNetworks(
  sources: NetworkSources,
  checkpoint: 'best' | 'last',
  notice: (message: string) => void,
): Promise<OpenNetwork> {
  const [first, ...others] = sources;
  const { engine } = await openRunEngine(first.engine, first.versions, notice);
  const opened = [await openMember(engine, first, checkpoint, notice)] as [Member, ...Member[]];
  const close = () => {
    for (const member of opened) member.close();
  };
  try {
    for (const other of others) opened.push(await openMember(engine, other, checkpoint, notice));
  } catch (error) {
    close();
    throw error;
  }
  const [one, ...rest] = opened;
  const [a, b, c] = first.plan.patch;
  return {
    ...{ plan: planOf(sources), step: one.step, window: c === undefined ? [1, a, b] : [a, b, c] },
    stride: 2, // the stem's grid
    members: opened.map(({ id, step }) => ({ id, step })),
    runs: [one.run, ...rest.map(({ run }) => run)],
    close,
  };
}

/**
 * The plan of an ensemble: that of its first network; a class keeps its largest component only where all of them say so, and the tilt is that of
 * all images that they were trained on.
 */
export function planOf([first, ...others]: NetworkSources): NetworkPlan {
  const { largestComponent = [] } = first.plan;
  const agreed = largestComponent.filter((name) => others.every(({ plan }) => plan.largestComponent?.includes(name)));
  const tilts = [first, ...others].map(({ plan }) => plan.tilt);
  const known = tilts.filter((tilt) => tilt !== undefined);
  const { tilt: _, ...plan } = first.plan;
  return { ...plan, largestComponent: agreed, ...(known.length === tilts.length && { tilt: Math.max(...known) }) };
}

/** @throws UnimissError 'checkpoint' for weights of another architecture or number of classes than the plan's */
function requireFitting(
  { file, tensors }: SafetensorsFile,
  prefix: string,
  table: readonly DownstreamSpec[],
  { preset, classes }: NetworkPlan,
): void {
  const shapeOf = (name: string) => tensors.get(prefix + name)?.shape;
  const wrong = table.find(({ name, shape }) => shapeOf(name)?.join() !== shape.join());
  if (!wrong) return;
  const found = shapeOf(wrong.name);
  const needed = `a network of the preset "${preset}" with ${count(classes.length, 'class', 'classes')} has [${wrong.shape.join(', ')}]`;
  throw new UnimissError(
    'checkpoint',
    found
      ? `does not fit its plan: "${wrong.name}" is [${found.join(', ')}], but ${needed}`
      : `does not fit its plan: it has no "${wrong.name}", of which ${needed}`,
    {
      place: file,
      remedy: 'Weights and plan must come from the same run: restore both, or export the run again (`unimiss export`).',
    },
  );
}

interface Member {
  readonly id: string;
  readonly step: number;
  readonly run: RunNetwork;
  close(): void;
}

async function openMember(
  engine: Engine,
  source: NetworkSource,
  checkpoint: 'best' | 'last',
  notice: (message: string) => void,
): Promise<Member> {
  const { id, plan } = source;
  const { step, file, prefix } = await source.openWeights(checkpoint, notice);
  try {
    const model = downstreamOf({ ...plan, plan, model: plan }, plan.classes.length);
    const table = downstreamTable(model);
    requireFitting(file, prefix, table, plan);
    const parameters = ParameterSet.create(engine, 'network', table);
    await parameters.load((name) => {
      const stored = prefix + name.slice('network.'.length);
      return file.tensors.has(stored) ? file.readFloat32(stored) : undefined;
    });
    const forward = createForward(engine, { model, parameters }, { batch: 1, grid: 'stem' });
    return {
      ...{ id, step },
      run: (images) => forward.run(images),
      close() {
        forward.dispose();
        parameters.dispose();
      },
    };
  } finally {
    await file.close();
  }
}
