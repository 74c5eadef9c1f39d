import { z } from 'zod';
import { readCase } from '../../../data/prepared/readCase.ts';
import {
  type ClassificationCaseInput,
  evaluateClassification,
} from '../../../evaluate/metrics/evaluateClassification.ts';
import { classify, settingsOf } from '../predict/labelImage.ts';
import { posed } from '../predict/posed.ts';
import { type Case, type Evaluated, type EvaluatedOn, excludingBroken } from './evaluated.ts';
import { verdicts } from './leakageCheck.ts';

/** What was found for an image. */
const classifiedSchema = z.object({ probabilities: z.array(z.number()), leakage: z.enum(verdicts) });

/** Measures the classes that a network gives to the cases of a split. Thresholds are chosen on the validation cases. */
export async function classifiedCases({
  leakage,
  network,
  opened,
  options,
  exclusions,
  measured,
  onProgress,
}: EvaluatedOn): Promise<Evaluated> {
  const { plan } = network;
  const { cases, validation, split } = opened;
  const both = split === 'validation' ? cases : [...cases, ...validation];
  const inputs = new Map<string, ClassificationCaseInput>();
  const settings = settingsOf(network, opened.volume);
  const journal = await measured(classifiedSchema);
  try {
    for (const [i, one] of both.entries()) {
      onProgress(one.id, i, both.length);
      const before = await journal.find(one);
      const found = before ?? (await excludingBroken(one, exclusions, () => classifiedCase(one)));
      const reference = 'classes' in one ? one.classes : null;
      if (!found || !reference) continue;
      if (!before) await journal.add(one, found);
      const { id, patient } = one;
      // Leakage concerns the cases that are evaluated, not those for the thresholds.
      if (cases.includes(one)) leakage.note(id, found.leakage);
      inputs.set(id, { id, patient, reference, probabilities: found.probabilities });
    }
  } finally {
    journal.close();
  }
  async function classifiedCase(one: Case): Promise<z.infer<typeof classifiedSchema>> {
    const stored = await readCase({ id: one.id, images: one.channels }, settings);
    const { prepared } = posed(stored, plan, settings, one.channels[0] ?? one.id);
    const probabilities = await classify(network, prepared);
    return {
      probabilities: plan.classes.map(({ name }) => probabilities[name] ?? 0),
      leakage: leakage.verdictOf(one.id, stored),
    };
  }
  const of = (wanted: readonly Case[]) => wanted.flatMap(({ id }) => inputs.get(id) ?? []);
  const evaluation = evaluateClassification(of(cases), {
    ...options,
    classes: plan.classes.map(({ name }) => name),
    exclusive: plan.labels === 'exclusive',
    // Thresholds that were chosen on the evaluated cases themselves would flatter.
    ...(split === 'test' && { validation: of(validation) }),
  });
  onProgress('Report', both.length, both.length);
  return { evaluation, planes: [] };
}
