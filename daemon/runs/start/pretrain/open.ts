import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import { describeIgnored } from '../../../data/datasets/ignoredFiles.ts';
import type { EpochPlan } from '../../../train/plan.ts';
import { describePlan, planOf } from '../../../train/pretrain/plan.ts';
import { createPretrainState } from '../../../train/pretrain/state.ts';
import { PretrainTraining } from '../../../train/pretrain/training.ts';
import type { Finding, Training } from '../../../train/training.ts';
import { modelConfig } from '../modelConfig.ts';
import { openImageHashes } from '../openImageHashes.ts';
import type { OpenedOn } from '../task.ts';
import { openImages, openRunLoader } from './images.ts';
import { readInitialWeights } from './initialWeights.ts';
import { openProbe } from './probe.ts';

/** Opens a pre-training: its images, plan and state. */
export async function openPretraining(
  config: PretrainConfig,
  { run, engine: { engine }, journal, resumes, stage }: OpenedOn,
): Promise<Training> {
  stage('Scanning the images');
  const dataset = await openImages(config, journal);
  const plan = planOf(config, dataset);
  const model = modelConfig(config.model);
  const broken = dataset.broken.map(
    ({ id, reason }): Finding => ({ event: 'broken', message: `${id}: ${reason}`, file: id }),
  );
  const skipped = describeIgnored(dataset, !config.records.hidePaths);
  const ignored: Finding[] = skipped === undefined ? [] : [{ event: 'notice', message: skipped }];
  const { initialWeights, seed } = config.train;
  const taken =
    initialWeights !== null && !resumes ? await readInitialWeights(initialWeights, { model, seed }) : undefined;
  // If a checkpoint is loaded next, it has every value, so none is drawn.
  const state = createPretrainState(engine, model, resumes ? null : (taken?.first ?? seed), config.train.centers);
  const network = { config: model, parameters: state.teacher };
  const probe = await openProbe(config, { engine, network, epochs: plan.epochs.length, journal });
  const { hashes, findings } = await openImageHashes(run, resumes);
  return new PretrainTraining({
    engine,
    config,
    model,
    plan,
    description: describePlan(plan, dataset),
    state,
    findings: [...broken, ...ignored, ...(taken ? [taken.finding] : []), ...findings, ...(probe?.findings ?? [])],
    openLoader: (phase) => openRunLoader(config, dataset, phase, { journal, hashes }),
    stage,
    ...(probe && { probe: (epoch: EpochPlan) => probe.measure(epoch) }),
    close: () => {
      probe?.close();
      hashes?.close();
    },
  });
}
