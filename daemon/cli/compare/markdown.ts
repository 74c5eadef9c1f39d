import { scoreNames, taskOf } from '../../../protocol/compare/experiment.ts';
import { modalities } from '../../../protocol/modality.ts';
import { claimOf, inWords, isYes, pOf, signed, summaryOf, three } from './answers.ts';
import { type Comparison, type Section, scoreOf } from './comparison.ts';
import type { Compute } from './compute.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The report of an experiment as Markdown, for repositories and reviews. */
export function comparisonText(comparison: Comparison): string {
  const { experiment, hash, fixed, compute, answers, sections } = comparison;
  const [primary] = answers;
  const questions = answers.map((answer) => {
    const { question, difference, low, high, p, corrected } = answer;
    return [
      ...[claimOf(question), taskOf(question), question.modality, String(question.labels)],
      ...[`${signed(difference)} [${signed(low)}, ${signed(high)}]`, pOf(p), pOf(corrected)],
      isYes(answer) ? 'yes' : 'not shown',
    ];
  });
  const head = ['question', 'measured by', 'images', 'labels a class', 'difference', 'p', 'p (Holm)', 'answer'];
  return `${[
    `# ${experiment.name}`,
    ...(primary ? [inWords(primary)] : []),
    summaryOf(answers, experiment),
    table(head, questions),
    ...sections.map((section) => sectionText(section, experiment)),
    ...(compute ? ['## Compute', computeNote, table(computeHead, computeRows(compute))] : []),
    `Fixed on ${fixed}, SHA-256 ${hash}. ${measuredOn(comparison)}`,
  ].join('\n\n')}\n`;
}

/** Where and when the scores were measured. */
export function measuredOn({
  processors,
  measured: [first, last],
}: Pick<Comparison, 'processors' | 'measured'>): string {
  const minute = (time: string) => `${time.slice(0, 16).replace('T', ' ')} UTC`;
  return `Measured from ${minute(first)} to ${minute(last)}, on ${processors.join(' and ')}.`;
}

export const computeNote =
  'Median time of a step with the wait for its data, the faster of two rounds before the first run; it decided the epochs of arms that get the time of others.';
export const computeHead = ['arm', '2D step, s', '3D step, s', 'epochs', 'time, s', 'gets the time of'];
export const computeRows = (compute: Compute): string[][] =>
  Object.entries(compute).map(([arm, { secondsPerStep, epochs, seconds, matches }]) => [
    arm,
    ...modalities.map((phase) => secondsPerStep[phase]?.toFixed(3) ?? '–'),
    ...[String(epochs), seconds.toFixed(0), matches?.join(' + ') ?? '–'],
  ]);

function sectionText(section: Section, { labels, seeds }: Comparison['experiment']): string {
  const { task, modality, arms, figureName } = section;
  const rows = arms.map((arm) => [
    arm,
    ...labels.map((number) => {
      const one = scoreOf(section, arm, number);
      return one ? `${three(one.mean)} [${three(one.low)}, ${three(one.high)}]` : '–';
    }),
  ]);
  const perSeed = arms.map((arm) => [
    arm,
    ...seeds.map((_, s) =>
      labels
        .map((number) => scoreOf(section, arm, number)?.accuracies[s])
        .map((score) => (score === undefined ? '–' : three(score)))
        .join(' / '),
    ),
  ]);
  return [
    `## ${scoreNames[task]}, ${modality}`,
    'Mean [95 % interval over seeds and patients].',
    table(['arm', ...labels.map((number) => `${number} a class`)], rows),
    `![${scoreNames[task]} over labels](${figureName})`,
    table([`seed (${labels.join(' / ')} a class)`, ...seeds.map(String)], perSeed),
  ].join('\n\n');
}
