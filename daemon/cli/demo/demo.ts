import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { SummaryFact } from '../../../protocol/metrics/page.ts';
import { modalities } from '../../../protocol/modality.ts';
import type { RunRecord } from '../../../protocol/records/records.ts';
import { openDataset } from '../../data/datasets/unlabelled.ts';
import { phantomDrawing, writePhantoms } from '../../data/phantoms/write.ts';
import { cacheFolder } from '../../engine/install/index.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { writeRunPage } from '../../runs/records/export/runPage.ts';
import { summarize } from '../../runs/records/list.ts';
import { readAllRecords } from '../../runs/records/readRecords.ts';
import { seriesWithLimits } from '../../runs/start/task.ts';
import { tasks } from '../../runs/start/tasks.ts';
import { duration, Reporter } from '../terminal/reporter.ts';
import { endStopped } from '../terminal/runDisplay.ts';
import { askedRoot, foregroundOption, throughDaemon } from '../viaDaemon/connection.ts';
import { demoConfig } from './demoConfig.ts';
import { type FineTuned, fineTuneBoth } from './demoFinetune.ts';
import { type LabelledTables, writeLabelledPhantoms } from './demoLabels.ts';
import { type Gain, gainFact, gainsOf } from './demoProbe.ts';
import { type DemoSize, demoSize } from './demoSize.ts';
import { type DemoSteps, stepsByDaemon, stepsHere } from './demoSteps.ts';
import type { Fact } from './fact.ts';

interface DemoOptions {
  data?: string;
  quick?: boolean;
  seed: number;
  runs?: string;
  foreground?: boolean;
}

/** `unimiss demo [--data FOLDER]` */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Try UniMiSS in minutes: create phantoms (or use your images), pre-train the preset nano on 2D and 3D, probe it on fresh labelled phantoms, fine-tune it on few of them beside a network from scratch, and show the results.',
    )
    .option('--data <folder>', 'use your images instead of phantoms; without labels, so nothing is fine-tuned')
    .option('--quick', 'few images and steps, to see how it works; the numbers mean nothing')
    .option('--seed <number>', 'seed of phantoms, first weights and order', seedOf, 1)
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addOption(foregroundOption())
    .action(async (options: DemoOptions, command: Command) => {
      const reporter = Reporter.of(command);
      if (options.foreground) return demo(stepsHere(reporter), options, reporter);
      await throughDaemon(reporter, (client) => demo(stepsByDaemon(client, reporter), options, reporter));
    });
}

async function demo(steps: DemoSteps, { data, runs, quick, seed }: DemoOptions, reporter: Reporter): Promise<void> {
  const size = demoSize(quick ? 'quick' : 'usual', seed);
  const began = performance.now();
  await steps.haveEngine();
  const images = data ? { paths: [resolve(data)] } : { manifest: await havePhantoms(size, reporter) };
  const dataset = await openDataset({ ...images, maxBroken: 0.05 });
  const root = askedRoot(runs) ?? runsRoot();
  const config = demoConfig(images, dataset, { ...size.pretraining, seed, whole: data === undefined });
  const run = await RunFolder.open(await steps.create(config, root));
  const labelled = data === undefined ? await haveLabelled(size, reporter) : undefined;
  const measured = labelled !== undefined || [...dataset.samples2D, ...dataset.samples3D].some(({ label }) => label);
  const embed = (weights: 'initial' | 'last') =>
    steps.embed(run.folder, {
      ...{ weights, out: join(run.folder, 'probe', weights) },
      ...(labelled && { manifest: labelled.test }),
    });
  const before = measured ? await embed('initial') : undefined;
  if ((await steps.train(run.folder)) === 'stopped') {
    return endStopped(run.id, reporter);
  }
  const gains = before ? await gainsOf(before, await embed('last')) : [];
  const records = await readAllRecords(run.recordsFile, (message) => reporter.notice(message));
  const facts = factsOf(records, gains);
  const page = join(run.folder, 'report.html');
  // The page already shows time, speed and memory.
  const results = facts.filter(({ key }) => key === 'loss' || key === 'probe').map(factOf);
  await writeRunPage(page, run, await summarize(run), records, {
    series: seriesWithLimits(run, tasks),
    summary: results,
    notice: (message) => reporter.notice(message),
  });
  const fineTuned: FineTuned[] = [];
  for (const modality of size.fineTuned) {
    const table = labelled?.cases[modality];
    if (table === undefined) continue;
    const one = await fineTuneBoth(steps, { modality, pretrained: run.folder, table, root, epochs: size.epochs, seed });
    if ('stopped' in one) return endStopped(basename(one.stopped), reporter);
    fineTuned.push(one);
  }
  const time: Fact = {
    ...{ key: 'time', label: 'Time', value: duration((performance.now() - began) / 1000) },
    note: 'from start to report',
  };
  const all = [...facts, ...fineTuned.flatMap((one) => one.facts), time];
  for (const fact of all) reporter.record(factOf(fact));
  for (const { modality, ...probe } of gains) reporter.record({ modality, probe });
  reporter.record({ run: run.folder, page });
  for (const { modality, folder, report } of fineTuned) reporter.record({ modality, fineTuned: folder, report });
  reporter.line(summary(run, all, { page, reports: fineTuned.map(({ report }) => report) }, root));
}

function factOf({ key: _, ...fact }: Fact): SummaryFact {
  return fact;
}

function haveLabelled({ labelled }: DemoSize, reporter: Reporter): Promise<LabelledTables> {
  return writeLabelledPhantoms(join(cacheFolder(), 'phantoms'), labelled, (done, total) =>
    reporter.progress(`Drawing labelled phantoms ${done}/${total}`, done === total),
  );
}

/** Makes the phantoms unless they exist: the same seed makes the same images. @returns the manifest */
async function havePhantoms({ phantoms }: DemoSize, reporter: Reporter): Promise<string> {
  const { seed, volumes, images, size } = phantoms;
  const folder = join(
    cacheFolder(),
    'phantoms',
    [phantomDrawing, seed, volumes, images, size.slices, size.plane, size.image].join('-'),
  );
  const manifest = join(folder, 'manifest.csv'); // written last
  if (existsSync(manifest)) return manifest;
  const written = await writePhantoms(folder, {
    ...phantoms,
    onProgress: (done, total) => reporter.progress(`Drawing phantoms ${done}/${total}`, done === total),
  });
  return written.manifest;
}

function factsOf(records: readonly RunRecord[], gains: readonly Gain[]): Fact[] {
  const steps = records.filter((record) => record.kind === 'step');
  const epochs = records.filter((record) => record.kind === 'epoch');
  const facts: Fact[] = [];
  for (const phase of modalities) {
    const own = epochs.filter((e) => e.group === phase);
    const [first, last] = [own[0], own.at(-1)];
    if (!first || !last) continue;
    facts.push({
      key: 'loss',
      label: `Mean loss ${phase}`,
      value: `${first.loss.toFixed(3)} → ${last.loss.toFixed(3)}`,
      note: 'first → last epoch, nats',
    });
    const gain = gains.find(({ modality }) => modality === phase);
    if (gain) facts.push(gainFact(gain));
    facts.push({
      key: 'speed',
      label: `Speed ${phase}`,
      value: `${median(steps.flatMap((s) => (s.group === phase ? (s.values.imagesPerSecond ?? []) : []))).toFixed(1)} ${phase === '3D' ? 'volumes' : 'images'}/s`,
      note: 'median over steps',
    });
  }
  facts.push({
    key: 'memory',
    label: 'Peak memory',
    value: `${Math.round(steps.reduce((peak, { rssMiB }) => Math.max(peak, rssMiB), 0))} MiB`,
    note: 'resident memory of the training process',
  });
  return facts;
}

function summary(
  run: RunFolder,
  facts: readonly Fact[],
  { page, reports }: { readonly page: string; readonly reports: readonly string[] },
  root: string,
): string {
  const width = Math.max(...facts.map((f) => f.label.length));
  const valueWidth = Math.max(...facts.map((f) => f.value.length));
  const next: [command: string, what: string][] = [
    [`unimiss metrics ${run.id}`, 'show the numbers in the terminal'],
    ['unimiss init ~/my-images > my.unimiss.jsonc', 'create a configuration for your images'],
    ['unimiss pretrain my.unimiss.jsonc', 'train on them'],
  ];
  const elsewhere = root === runsRoot({}) ? '' : ` (after you set unimiss.runsFolder to ${root})`;
  const commandWidth = Math.max(...next.map(([command]) => command.length));
  return [
    '',
    ...facts.map((f) => `  ${f.label.padEnd(width)}  ${f.value.padEnd(valueWidth)}  ${f.note ?? ''}`.trimEnd()),
    '',
    'Page with curves and previews of the pre-training:',
    `  ${page}`,
    ...(reports.length === 0
      ? []
      : ['Reports of the evaluations on labelled images:', ...reports.map((one) => `  ${one}`)]),
    'Next:',
    ...next.map(([command, what]) => `  ${command.padEnd(commandWidth)}  ${what}`),
    `("unimiss" stands for: node ${process.argv[1]})`,
    'The same runs in VS Code:',
    `  Run "npm run package", then install the .vsix file with "Extensions: Install from VSIX…"`,
    `  UniMiSS in the activity bar lists ${run.id}${elsewhere}. Click it to open its curves and previews.`,
  ].join('\n');
}

function seedOf(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value < 2 ** 31) return value;
  throw new InvalidArgumentError('Give a whole number from 0 to 2147483647.');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
