import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { SummaryFact } from '../../protocol/metrics.ts';
import { parseConfig } from '../../protocol/parseConfig.ts';
import type { EpochRecord, StepRecord } from '../../protocol/records.ts';
import { resolveConfig } from '../../protocol/resolveConfig.ts';
import { type Dataset, openDataset } from '../data/dataset.ts';
import { phantomDrawing, writePhantoms } from '../data/phantoms/write.ts';
import { cacheFolder, findEngine, installEngine } from '../engine/install/index.ts';
import { classifyByNeighbors, type KnnResult } from '../evaluate/knn.ts';
import { embedWithRun } from '../runs/embedRun.ts';
import { readRecords } from '../runs/readRecords.ts';
import { runsRoot } from '../runs/root.ts';
import { RunFolder } from '../runs/runFolder.ts';
import { demoConfig } from './demoConfig.ts';
import { progressText } from './engine.ts';
import { interruptSignal } from './interrupt.ts';
import { duration, Reporter } from './reporter.ts';
import { writeRunPage } from './runPage.ts';
import { trainInTerminal } from './trainInTerminal.ts';

/** The phantoms of the demo: enough of each class for k-NN, little enough for minutes on two cores. */
const PHANTOMS = { seed: 1, volumes: 64, images: 448, size: { slices: 16 } } as const;

type Phases<T> = Partial<Record<'2D' | '3D', T>>;

/** `unimiss demo [--data FOLDER]` */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'See it work in minutes: make phantoms (or take your images), pre-train the preset nano on both, show what was learned.',
    )
    .option('--data <folder>', 'your images in place of phantoms')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .action(async (options: { data?: string; runs?: string }, command: Command) => {
      const reporter = Reporter.of(command);
      const began = performance.now();
      await haveEngine(reporter);
      const manifest = options.data ? undefined : await havePhantoms(reporter);
      const images = options.data ? { paths: [resolve(options.data)] } : { manifest };
      const dataset = await openDataset({ ...images, maxBroken: 0.05 });
      const text = demoConfig(images, dataset);
      const config = resolveConfig(parseConfig(text, 'demo'), { baseDir: process.cwd() });
      const run = await RunFolder.create(options.runs ? resolve(options.runs) : runsRoot(), text, config);
      const before = await separation(run, dataset, 'initial', reporter);
      if ((await trainInTerminal(run, reporter)) === 'stopped') return;
      const after = await separation(run, dataset, 'last', reporter);
      const facts = await factsOf(run, before, after, (performance.now() - began) / 1000);
      const page = join(run.folder, 'report.html');
      // Time, speed and memory are on the page already.
      const results = facts.filter(({ label }) => /^(Loss|k-NN)/.test(label));
      await writeRunPage(page, run, (message) => reporter.notice(message), results);
      for (const fact of facts) reporter.record(fact);
      reporter.record({ run: run.folder, page });
      reporter.line(summary(run, facts, page));
    });
}

async function haveEngine(reporter: Reporter): Promise<void> {
  if (await findEngine()) return;
  await installEngine({
    signal: interruptSignal(),
    onProgress: (p) => reporter.progress(progressText(p), p.stage === 'done'),
  });
}

/** Makes the phantoms unless they are there: the same seed gives the same images. @returns the manifest */
async function havePhantoms(reporter: Reporter): Promise<string> {
  const { seed, volumes, images, size } = PHANTOMS;
  const folder = join(cacheFolder(), 'phantoms', `${phantomDrawing}-${seed}-${volumes}-${images}-${size.slices}`);
  const manifest = join(folder, 'manifest.csv'); // written last
  if (existsSync(manifest)) return manifest;
  const written = await writePhantoms(folder, {
    ...PHANTOMS,
    onProgress: (done, total) => reporter.progress(`Drawing phantoms ${done}/${total}`, done === total),
  });
  return written.manifest;
}

/** How well the known classes separate: leave-one-out k-NN on the teacher's features. Nothing without labels. */
async function separation(
  run: RunFolder,
  dataset: Dataset,
  weights: 'initial' | 'last',
  reporter: Reporter,
): Promise<Phases<KnnResult>> {
  if (!dataset.samples2D.concat(dataset.samples3D).some((s) => s.label)) return {};
  const embedded = await embedWithRun(run, dataset, {
    network: 'teacher',
    weights,
    onProgress: (phase, done, total) =>
      reporter.progress(
        `Features ${weights === 'initial' ? 'before' : 'after'} training, ${phase} ${done}/${total}`,
        done === total,
      ),
  });
  const result: Phases<KnnResult> = {};
  for (const [phase, images] of Object.entries(embedded) as ['2D' | '3D', NonNullable<(typeof embedded)['2D']>][]) {
    const classes = [...new Set(images.samples.map((s) => s.label))];
    const labels = images.samples.map((s) => classes.indexOf(s.label));
    result[phase] = classifyByNeighbors({ features: images.features, featureLength: images.length, labels }, { k: 10 });
  }
  return result;
}

async function factsOf(
  run: RunFolder,
  before: Phases<KnnResult>,
  after: Phases<KnnResult>,
  seconds: number,
): Promise<SummaryFact[]> {
  const steps: StepRecord[] = [];
  const epochs: EpochRecord[] = [];
  for await (const record of readRecords(run.recordsFile, () => undefined)) {
    if (record.kind === 'step') steps.push(record);
    if (record.kind === 'epoch') epochs.push(record);
  }
  const facts: SummaryFact[] = [];
  for (const phase of ['2D', '3D'] as const) {
    const own = epochs.filter((e) => e.phase === phase);
    const [first, last] = [own[0], own.at(-1)];
    if (!first || !last) continue;
    facts.push({
      label: `Loss ${phase}`,
      value: `${first.loss.toFixed(3)} → ${last.loss.toFixed(3)}`,
      note: 'first → last epoch, nats',
    });
    const [a, b] = [before[phase], after[phase]];
    if (a && b) {
      const [low, high] = b.interval;
      const change = a.accuracy < low || a.accuracy > high ? '' : 'no clear change; ';
      facts.push({
        label: `k-NN ${phase}`,
        value: `${percent(a.accuracy)} → ${percent(b.accuracy)}`,
        note: `${change}classes found before → after; chance ${percent(b.chance)}, 95 % interval after ${percent(low)}–${percent(high)}`,
      });
    }
    facts.push({
      label: `Speed ${phase}`,
      value: `${median(steps.filter((s) => s.phase === phase).map((s) => s.imagesPerSecond)).toFixed(1)} images/s`,
      note: 'median of the steps',
    });
  }
  facts.push({
    label: 'Peak memory',
    value: `${Math.round(await peakMiB())} MiB`,
    note: 'resident, of the whole process',
  });
  facts.push({ label: 'Time', value: duration(seconds), note: 'from start to report' });
  return facts;
}

function summary(run: RunFolder, facts: readonly SummaryFact[], page: string): string {
  const width = Math.max(...facts.map((f) => f.label.length));
  const valueWidth = Math.max(...facts.map((f) => f.value.length));
  const next: [command: string, what: string][] = [
    [`unimiss metrics ${run.id}`, 'the numbers in the terminal'],
    ['unimiss init ~/my-images > my.unimiss.jsonc', 'a configuration for your images'],
    ['unimiss pretrain my.unimiss.jsonc', 'train on them'],
  ];
  const commandWidth = Math.max(...next.map(([command]) => command.length));
  return [
    '',
    ...facts.map((f) => `  ${f.label.padEnd(width)}  ${f.value.padEnd(valueWidth)}  ${f.note ?? ''}`.trimEnd()),
    '',
    'The page with curves and previews:',
    `  ${page}`,
    'Next:',
    ...next.map(([command, what]) => `  ${command.padEnd(commandWidth)}  ${what}`),
    `("unimiss" stands for: node ${process.argv[1]})`,
  ].join('\n');
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Highest resident memory of this process so far (VmHWM of proc(5)). */
async function peakMiB(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
