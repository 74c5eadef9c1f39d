/** Reports of evaluations as the daemon makes them, for tests in the browser. */

import { compareEvaluations } from '../../daemon/evaluate/metrics/compareEvaluations.ts';
import { evaluateClassification } from '../../daemon/evaluate/metrics/evaluateClassification.ts';
import {
  evaluateSegmentation,
  type SegmentationCaseInput,
} from '../../daemon/evaluate/metrics/evaluateSegmentation.ts';
import { writeEvaluationReport } from '../../daemon/evaluate/report/evaluation/evaluationReport.ts';
import { planePicture, worstAndBest } from '../../daemon/evaluate/report/evaluation/planePicture.ts';

const shape = [8, 90, 100] as const;
const spacing = [3, 1, 1] as const;
const names = ['liver', 'spleen', 'left kidney', 'right kidney', 'pancreas'];

/** Five ellipsoids in a body; `shift` moves and shrinks them. */
function labelsOf(patient: number, shift: number): Uint8Array {
  const labels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (const [c] of names.entries()) {
    const [cy, cx] = [
      45 + 22 * Math.sin(1.3 * c + patient * 0.2) + shift * (c === 4 ? 3 : 1),
      50 + 24 * Math.cos(1.3 * c) + shift,
    ];
    const [ry, rx] = [10 + (c % 3) - shift * 0.4, 11 + (patient % 3)];
    if (c === 4 && shift > 2.5) continue;
    for (let z = 0, i = 0; z < shape[0]; z++)
      for (let y = 0; y < shape[1]; y++)
        for (let x = 0; x < shape[2]; x++, i++)
          if (((z - 3.5) / 3.5) ** 2 + ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 <= 1) labels[i] = c + 1;
  }
  return labels;
}

function caseOf(patient: number, shift: number): SegmentationCaseInput {
  const labels = { kind: 'map' as const, reference: labelsOf(patient, 0), prediction: labelsOf(patient, shift) };
  return {
    id: `case-${String(patient + 1).padStart(2, '0')}`,
    patient: `patient ${patient + 1}`,
    shape,
    spacing,
    labels,
  };
}

/** Writes a report of made-up patients with pictures and a comparison. */
export async function writeSegmentationReport(file: string): Promise<void> {
  const cases = Array.from({ length: 12 }, (_, n) => caseOf(n, (n % 5) * 0.8));
  const twins = Array.from({ length: 12 }, (_, n) => caseOf(n, (n % 5) * 0.8 + 0.9));
  const options = {
    split: 'test',
    classes: names.map((name, i) => ({ name, values: [i + 1] })),
    threads: 0,
    resamples: 300,
    time: new Date(0),
    versions: { UniMiSS: '0.1.0' },
  };
  const evaluation = await evaluateSegmentation(cases, {
    ...options,
    name: 'liver-from-scratch',
    leakage: { state: 'none', checked: 12 },
  });
  const pretrained = await evaluateSegmentation(twins, { ...options, name: 'liver-pretrained' });
  const { worst, best } = worstAndBest(evaluation);
  const planes = [...worst.map((id) => ['Worst', id] as const), ...best.map((id) => ['Best', id] as const)].map(
    ([which, id]) => {
      const { labels } = cases.find((one) => one.id === id)!;
      const image = Float32Array.from(labels.reference, (v, i) => {
        const [y, x] = [Math.floor(i / 100) % 90, i % 100];
        return Math.hypot((y - 45) / 42, (x - 50) / 48) < 1 ? 40 + 25 * v + 10 * Math.sin(i * 12.9898) : -60;
      });
      return planePicture({
        title: `${which}: ${id}`,
        shape,
        spacing,
        image,
        reference: labels.reference,
        prediction: labels.prediction,
      });
    },
  );
  await writeEvaluationReport(file, {
    evaluation: {
      ...evaluation,
      exclusions: [{ case: 'case-13', reason: 'has no reference' }],
      comparison: {
        ...{ with: pretrained.name, checkpoint: 'step 250', twin: false },
        tests: compareEvaluations(pretrained, evaluation),
      },
    },
    planes,
    configuration: '{\n  // a comment\n  "task": "segmentation"\n}',
  });
}

/** Writes a report of made-up cases of three classes. */
export async function writeClassificationReport(file: string): Promise<void> {
  const classes = ['healthy', 'pneumonia', 'COVID-19'];
  const cases = Array.from({ length: 90 }, (_, i) => {
    const own = i % 3;
    const scores = classes.map((_, c) => 2 * Math.sin(i * 12.9898 + c * 78.233) + (c === own ? 1.6 : 0));
    const powers = scores.map(Math.exp);
    const sum = powers.reduce((a, b) => a + b, 0);
    return {
      id: `image-${i}`,
      patient: `patient ${Math.floor(i / 2)}`,
      probabilities: powers.map((p) => p / sum),
      reference: [own],
    };
  });
  const evaluation = evaluateClassification(cases.slice(30), {
    name: 'chest',
    split: 'test',
    classes,
    exclusive: true,
    validation: cases.slice(0, 30),
    resamples: 300,
    time: new Date(0),
  });
  await writeEvaluationReport(file, { evaluation });
}
