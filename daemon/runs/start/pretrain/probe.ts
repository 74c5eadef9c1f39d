import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import type { Modality } from '../../../../protocol/modality.ts';
import { VolumeReader } from '../../../data/volumes.ts';
import type { Engine } from '../../../engine/index.ts';
import { classifyHeldOut } from '../../../evaluate/features/heldOut.ts';
import { createEmbed, type Embed } from '../../../infer/embed.ts';
import { embedSamples } from '../../../infer/embedSamples.ts';
import type { Network } from '../../../infer/network.ts';
import type { EpochPlan } from '../../../train/plan.ts';
import type { Finding } from '../../../train/training.ts';
import type { RunJournal } from '../../records/runJournal.ts';
import { openProbeSets, type ProbeSet } from './probeSets.ts';

/** Images per pass through the network. */
const batch = 8;
/** Measures features on labelled images during a pre-training. */
export interface Probe {
  readonly findings: readonly Finding[];
  /** Numbers by their keys in the catalogue, where they are due after this epoch. */
  measure(epoch: EpochPlan): Promise<Record<string, number>>;
  close(): void;
}

interface ProbeParts {
  readonly engine: Engine;
  /** Whose features are measured, with its present weights. */
  readonly network: Network;
  /** Epochs of the run. */
  readonly epochs: number;
  readonly journal: RunJournal;
}

/**
 * Opens what `probe` of a configuration asks for. The network is compiled when it is first due.
 * @returns undefined where nothing is asked for
 * @throws UnimissError 'data'
 */
export async function openProbe(config: PretrainConfig, parts: ProbeParts): Promise<Probe | undefined> {
  const { probe, data } = config;
  if (!probe) return undefined;
  const { engine, network, epochs, journal } = parts;
  const sets = await openProbeSets(config);
  journal.hideNames(sets.flatMap(({ samples }) => samples.flatMap(({ id, path }) => [id, path])));
  const volumes = new VolumeReader(data.resample ? { spacing: data.spacing, cache: data.cache } : false);
  const embeds = new Map<Modality, Embed>();
  const told = new Set<string>();

  async function accuracies(set: ProbeSet): Promise<[string, number][]> {
    const { modality } = set;
    const embed = embeds.get(modality) ?? createEmbed(engine, network, { modality, batch });
    embeds.set(modality, embed);
    const embedder = { ...embed.options, length: embed.length, run: embed.run };
    const { features, samples, broken } = await embedSamples(set.samples, embedder, volumes);
    for (const { id, reason } of broken) {
      if (!told.has(id)) journal.event('warning', `probe: ${id}: ${reason}`, { file: id });
      told.add(id);
    }
    // Rows are those of the images that could be read.
    const rowOf = new Map(samples.map(({ id }, row) => [id, row]));
    const rows = (numbers: readonly number[]) =>
      numbers.flatMap((number) => rowOf.get(set.samples[number]?.id ?? '') ?? []);
    const labelOf = new Map(set.samples.map(({ id }, number) => [id, set.labels[number] ?? -1]));
    const labels = samples.map(({ id }) => labelOf.get(id) ?? -1);
    const divided = set.folds.map(({ known, tested }) => ({ known: rows(known), tested: rows(tested) }));
    const { knn, linear } = classifyHeldOut(
      { features, featureLength: embed.length, labels },
      divided,
      probe?.neighbors ?? 0,
    );
    return [
      [`knn/${modality}`, knn],
      [`linearProbe/${modality}`, linear],
    ];
  }

  return {
    findings: sets.flatMap(findingsOf),
    async measure({ epoch }) {
      if ((epoch + 1) % probe.everyEpochs !== 0 && epoch + 1 !== epochs) return {};
      const values: [string, number][] = [];
      for (const set of sets) values.push(...(await accuracies(set)));
      return Object.fromEntries(values);
    },
    close() {
      for (const embed of embeds.values()) embed.dispose();
    },
  };
}

function findingsOf({ path, modality, samples, classes, labels, folds: divided, problems }: ProbeSet): Finding[] {
  const counts = classes.map((_, number) => labels.filter((label) => label === number).length);
  const guess = Math.max(...counts) / samples.length;
  const how = divided.length > 1 ? `in ${divided.length} folds by patient` : 'as the data set is divided';
  const about = `${path}: the features are measured on ${samples.length} ${modality} images of ${classes.length} classes, ${how}. Always guessing the most frequent class gives ${(100 * guess).toFixed(0)} %.`;
  return [
    { event: 'notice', message: about },
    ...problems.map(
      ({ place, what, remedy, case: id }): Finding => ({
        ...{ event: 'warning', message: `probe: ${place}: ${what}. ${remedy}` },
        ...(id !== undefined && { file: id }),
      }),
    ),
  ];
}
