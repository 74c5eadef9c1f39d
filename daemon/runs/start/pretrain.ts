import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { describePlan, planOf } from '../../train/pretrain/plan.ts';
import { createPretrainState } from '../../train/pretrain/state.ts';
import { PretrainTraining } from '../../train/pretrain/training.ts';
import type { Training } from '../../train/training.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import type { RunJournal } from '../records/runJournal.ts';
import { readInitialWeights } from './initialWeights.ts';
import { modelConfig } from './modelConfig.ts';
import type { RunEngine } from './openRunEngine.ts';
import { openImageHashes, openImages, openRunLoader } from './runImages.ts';

/** What a training is opened on. */
export interface OpenedOn {
  readonly run: RunFolder;
  readonly engine: RunEngine;
  readonly journal: RunJournal;
  /** Whether a checkpoint is loaded next, so that first values do not matter. */
  readonly resumes: boolean;
  /** Told what is being prepared. */
  stage(what: string): void;
}

/** Opens a pre-training: its images, plan and state. */
export async function openPretraining(
  config: ResolvedConfig,
  { run, engine: { engine }, journal, resumes, stage }: OpenedOn,
): Promise<Training> {
  stage('Looking at the images');
  const dataset = await openImages(config, journal);
  const plan = planOf(config, dataset);
  const model = modelConfig(config.model);
  const { initialWeights, seed } = config.train;
  const first = initialWeights !== null && !resumes ? await readInitialWeights(initialWeights, model) : seed;
  const { hashes, findings: unhashed } = await openImageHashes(run, resumes);
  const findings = dataset.broken.map((image) => ({
    event: 'broken' as const,
    message: `${image.id}: ${image.reason}`,
    file: image.id,
  }));
  return new PretrainTraining({
    engine,
    config,
    model,
    plan,
    description: describePlan(plan, dataset),
    state: createPretrainState(engine, model, first),
    findings: [...unhashed, ...findings],
    openLoader: (phase) => openRunLoader(config, dataset, phase, { journal, hashes }),
    close: () => hashes?.close(),
    stage,
  });
}
