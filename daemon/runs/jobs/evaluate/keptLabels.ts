import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ViewableCase } from '../../../../protocol/evaluation/viewableCases.ts';
import type { SegmentationCase } from '../../../data/datasets/labelled/types.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import { fileName, type LabelMapsOfImage, writeLabels } from '../predict/writeLabels.ts';

/** Labels of one case by class number, all maps in a row. */
interface LabelsOfCase {
  readonly stored: StoredCase;
  readonly reference: Uint8Array;
  readonly prediction: Uint8Array;
}

/**
 * Keeps what a network said of volumes beside the run, so that the viewer can show it without predicting again: a label map in the grid of each
 * image. Where the data set's own labels have other values, or several for a class, the reference is kept in the same way.
 */
export class KeptLabels {
  /** @param folder a folder for this network, these cases and these settings; made when something is kept */
  constructor(
    private readonly folder: string,
    private readonly plan: NetworkPlan,
  ) {}

  /** @throws UnimissError 'disk' */
  async add(one: SegmentationCase, { stored, reference, prediction }: LabelsOfCase): Promise<void> {
    if (!stored.grid) return;
    await this.write(one, 'prediction', stored, prediction);
    // What is not known is drawn as nothing.
    if (this.own(one) === undefined)
      await this.write(
        one,
        'reference',
        stored,
        reference.map((v) => (v === 255 ? 0 : v)),
      );
  }

  /** Pairs of label maps to look at; none where nothing was kept of the case. */
  async labelsOf(one: SegmentationCase): Promise<ViewableCase['labels']> {
    const predictions = this.files(one, 'prediction');
    const references = this.own(one) ?? this.files(one, 'reference');
    const pairs = this.names.map((name, k) => ({
      class: name,
      reference: references[k] ?? '',
      prediction: predictions[k] ?? '',
    }));
    const there = await Promise.all(
      pairs.map(async (pair) => (await exists(pair.reference)) && (await exists(pair.prediction))),
    );
    return pairs.filter((_, k) => there[k]);
  }

  /** The classes that have a map each; null for the one map of exclusive labels. */
  private get names(): (string | null)[] {
    return this.plan.labels === 'exclusive' ? [null] : this.plan.classes.map(({ name }) => name);
  }

  /** The data set's own files, where they say the same as ours: the value of each class, or a mask a class. */
  private own({ label }: SegmentationCase): readonly string[] | undefined {
    if (label?.kind === 'map')
      return this.plan.labels === 'exclusive' && this.plan.classes.every(({ values }) => values.length <= 1)
        ? [label.path]
        : undefined;
    if (this.plan.labels === 'exclusive' || !label) return undefined;
    const paths = label.paths.flatMap((path) => path ?? []);
    return paths.length === this.plan.classes.length ? paths : undefined;
  }

  private base({ id }: SegmentationCase, what: 'reference' | 'prediction'): string {
    const plain = fileName(id);
    const name = plain === id ? id : `${plain}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;
    return join(this.folder, `${what}s`, name);
  }

  private files(one: SegmentationCase, what: 'reference' | 'prediction'): string[] {
    const base = this.base(one, what);
    return this.names.map((name) => `${base}${name === null ? '' : `.${fileName(name)}`}.nii.gz`);
  }

  private async write(
    one: SegmentationCase,
    what: 'reference' | 'prediction',
    stored: StoredCase,
    labels: Uint8Array,
  ): Promise<void> {
    const voxels = stored.size[0] * stored.size[1] * stored.size[2];
    const maps: LabelMapsOfImage = this.names.map((_, k) => labels.subarray(k * voxels, (k + 1) * voxels));
    await writeLabels(this.base(one, what), maps, stored, this.plan, { dicom: false });
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
