import { prepareImage } from '../../../data/prepared/prepareImage.ts';
import { readCase } from '../../../data/prepared/readCase.ts';
import {
  type ClassificationCaseInput,
  evaluateClassification,
} from '../../../evaluate/metrics/evaluateClassification.ts';
import { classify, settingsOf } from '../predict/labelImage.ts';
import { type Case, type Evaluated, type EvaluatedOn, excludingBroken } from './evaluated.ts';

/** Measures the classes that a network gives to the cases of a split. Thresholds are chosen on the validation cases. */
export async function classifiedCases({
  leakage,
  network,
  opened,
  options,
  exclusions,
  onProgress,
}: EvaluatedOn): Promise<Evaluated> {
  const { plan } = network;
  const { cases, validation, split } = opened;
  const both = split === 'validation' ? cases : [...cases, ...validation];
  const inputs = new Map<string, ClassificationCaseInput>();
  for (const [i, one] of both.entries()) {
    onProgress(one.id, i, both.length);
    const settings = settingsOf(network);
    const probabilities = await excludingBroken(one, exclusions, async () => {
      const stored = await readCase({ id: one.id, images: one.channels }, settings);
      if (cases.includes(one)) leakage.see(one.id, stored);
      return classify(network, prepareImage(stored, settings, one.channels[0] ?? one.id));
    });
    const reference = 'classes' in one ? one.classes : null;
    if (!probabilities || !reference) continue;
    const { id, patient } = one;
    inputs.set(id, { id, patient, reference, probabilities: plan.classes.map(({ name }) => probabilities[name] ?? 0) });
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
