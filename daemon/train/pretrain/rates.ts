import type { PretrainConfig } from '../../../protocol/config/index.ts';
import { ofPhase } from '../../../protocol/config/pretrain/byPhase.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { cosineSchedule, linearSchedule, type Schedule } from '../optimizers/schedules.ts';
import type { PretrainPlan } from './plan.ts';

/** The values of the schedules for one step. */
export interface Rates {
  learningRate: number;
  weightDecay: number;
  /** Share of the teacher that is kept. */
  momentum: number;
  teacherTemperature: number;
}

/**
 * The schedules of a run (the reference's, after DINO's): learning rate base · total batch / 256 with linear warm-up and cosine,
 * weight decay and teacher momentum by cosine, teacher temperature by an optional linear warm-up. They run over the actual steps
 * of both phases.
 */
export function ratesOf(train: PretrainConfig['train'], plan: PretrainPlan): (step: number, phase: Modality) => Rates {
  const { steps, warmupSteps } = plan;
  const learningRate = (phase: Modality): Schedule =>
    cosineSchedule({
      base: (ofPhase(train.lr, phase) * train.batch[phase] * train.accumulate) / 256,
      final: train.finalLr,
      steps,
      warmupSteps,
    });
  const rate = { '2D': learningRate('2D'), '3D': learningRate('3D') };
  const cosine = ([base, final]: readonly [number, number]) => cosineSchedule({ base, final, steps });
  const weightDecay = cosine(train.weightDecay);
  const momentum = cosine(train.momentum);
  const teacherTemperature = temperatureSchedule(train.teacherTemperature, plan);
  return (step, phase) => ({
    learningRate: rate[phase](step),
    weightDecay: weightDecay(step),
    momentum: momentum(step),
    teacherTemperature: teacherTemperature(step),
  });
}

function temperatureSchedule(
  { value, start, warmupEpochs }: PretrainConfig['train']['teacherTemperature'],
  plan: PretrainPlan,
): Schedule {
  const warming = plan.epochs.slice(0, Math.ceil(warmupEpochs));
  const steps = Math.round(warming.reduce((sum, e) => sum + e.steps, 0) * (warmupEpochs / Math.max(1, warming.length)));
  return start === null || steps < 2 ? () => value : linearSchedule({ start, end: value, steps });
}
