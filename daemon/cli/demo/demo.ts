import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import type { EmbedResult } from '../../../protocol/jobs/embedMessages.ts';
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
import { percent } from '../commands/embed.ts';
import { duration, Reporter } from '../terminal/reporter.ts';
import { endStopped } from '../terminal/runDisplay.ts';
import { askedRoot, foregroundOption, throughDaemon } from '../viaDaemon/connection.ts';
import { demoConfig } from './demoConfig.ts';
import { fineTuneBoth } from './demoFinetune.ts';
import { writeLabelledPhantoms } from './demoLabels.ts';
import { type DemoSize, demoSizes } from './demoSize.ts';
import { type DemoSteps, stepsByDaemon, stepsHere } from './demoSteps.ts';
import type { Fact } from './fact.ts';

interface DemoOptions {
  data?: string;
  quick?: boolean;
  runs?: string;
  foreground?: boolean;
}

/** `unimiss demo [--data FOLDER]` */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Try UniMiSS in minutes: create phantoms (or use your images), pre-train the preset nano on 2D and 3D, fine-tune it on labelled phantoms beside a network from scratch, show what was measured.',
    )
    .option('--data <folder>', 'use your images instead of phantoms; without labels, so nothing is fine-tuned')
    .option('--quick', 'few images and few steps: shows the way; its numbers mean nothing')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addOption(foregroundOption())
    .action(async (options: DemoOptions, command: Command) => {
      const reporter = Reporter.of(command);
      if (options.foreground) return demo(stepsHere(reporter), options, reporter);
      await throughDaemon(reporter, (client) => demo(stepsByDaemon(client, reporter), options, reporter));
    });
}

async function demo(steps: DemoSteps, { data, runs, quick }: DemoOptions, reporter: Reporter): Promise<void> {
  const size = demoSizes[quick ? 'quick' : 'usual'];
  const began = performance.now();
  await steps.haveEngine();
  const images = data ? { paths: [resolve(data)] } : { manifest: await havePhantoms(size, reporter) };
  const dataset = await openDataset({ ...images, maxBroken: 0.05 });
  const root = askedRoot(runs) ?? runsRoot();
  const run = await RunFolder.open(await steps.create(demoConfig(images, dataset, size.pretraining), root));
  const labelled = dataset.samples2D.concat(dataset.samples3D).some((sample) => sample.label);
  const before = labelled ? await steps.embed(run.folder, 'initial') : undefined;
  if ((await steps.train(run.folder)) === 'stopped') {
    return endStopped(run.id, reporter);
  }
  const after = labelled ? await steps.embed(run.folder, 'last') : undefined;
  const records = await readAllRecords(run.recordsFile, (message) => reporter.notice(message));
  const facts = factsOf(records, before, after);
  const page = join(run.folder, 'report.html');
  // The page already shows time, speed and memory.
  const results = facts.filter(({ key }) => key === 'loss' || key === 'neighbours').map(factOf);
  await writeRunPage(page, run, await summarize(run), records, {
    series: seriesWithLimits(run, tasks),
    summary: results,
    notice: (message) => reporter.notice(message),
  });
  const fineTuned = data ? undefined : await fineTuneOnPhantoms(steps, run, { root, size, reporter });
  if (fineTuned && 'stopped' in fineTuned) return endStopped(basename(fineTuned.stopped), reporter);
  const time: Fact = {
    ...{ key: 'time', label: 'Time', value: duration((performance.now() - began) / 1000) },
    note: 'from start to report',
  };
  const all = [...facts, ...(fineTuned?.facts ?? []), time];
  for (const fact of all) reporter.record(factOf(fact));
  reporter.record({
    run: run.folder,
    page,
    ...(fineTuned && { fineTuned: fineTuned.folder, report: fineTuned.report }),
  });
  reporter.line(summary(run, all, { page, report: fineTuned?.report }, root));
}

function factOf({ key: _, ...fact }: Fact): SummaryFact {
  return fact;
}

async function fineTuneOnPhantoms(
  steps: DemoSteps,
  run: RunFolder,
  { root, size, reporter }: { root: string; size: DemoSize; reporter: Reporter },
) {
  const table = await writeLabelledPhantoms(join(cacheFolder(), 'phantoms'), size.labelled, (done, total) =>
    reporter.progress(`Drawing labelled phantoms ${done}/${total}`, done === total),
  );
  return fineTuneBoth(steps, { pretrained: run.folder, table, root, epochs: size.epochs });
}

/** Makes the phantoms unless they exist: the same seed makes the same images. @returns the manifest */
async function havePhantoms({ phantoms }: DemoSize, reporter: Reporter): Promise<string> {
  const { seed, volumes, images, size } = phantoms;
  const folder = join(cacheFolder(), 'phantoms', `${phantomDrawing}-${seed}-${volumes}-${images}-${size.slices}`);
  const manifest = join(folder, 'manifest.csv'); // written last
  if (existsSync(manifest)) return manifest;
  const written = await writePhantoms(folder, {
    ...phantoms,
    onProgress: (done, total) => reporter.progress(`Drawing phantoms ${done}/${total}`, done === total),
  });
  return written.manifest;
}

function factsOf(
  records: readonly RunRecord[],
  before: EmbedResult | undefined,
  after: EmbedResult | undefined,
): Fact[] {
  const steps = records.filter((record) => record.kind === 'step');
  const epochs = records.filter((record) => record.kind === 'epoch');
  const facts: Fact[] = [];
  for (const phase of modalities) {
    const own = epochs.filter((e) => e.group === phase);
    const [first, last] = [own[0], own.at(-1)];
    if (!first || !last) continue;
    facts.push({
      key: 'loss',
      label: `Loss ${phase}`,
      value: `${first.loss.toFixed(3)} → ${last.loss.toFixed(3)}`,
      note: 'first → last epoch, nats',
    });
    const [a, b] = [before, after].map((result) => result?.phases.find((each) => each.phase === phase)?.neighbours);
    if (a && b) {
      const [low, high] = b.interval;
      const change = a.accuracy < low || a.accuracy > high ? '' : 'no clear change; ';
      facts.push({
        key: 'neighbours',
        label: `k-NN ${phase}`,
        value: `${percent(a.accuracy)} → ${percent(b.accuracy)}`,
        note: `${change}accuracy before → after training; chance ${percent(b.chance)}, 95 % interval after training ${percent(low)}–${percent(high)}`,
      });
    }
    facts.push({
      key: 'speed',
      label: `Speed ${phase}`,
      value: `${median(steps.flatMap((s) => (s.group === phase ? (s.values.imagesPerSecond ?? []) : []))).toFixed(1)} images/s`,
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
  { page, report }: { readonly page: string; readonly report: string | undefined },
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
    ...(report === undefined ? [] : ['Report of the evaluation on labelled images:', `  ${report}`]),
    'Next:',
    ...next.map(([command, what]) => `  ${command.padEnd(commandWidth)}  ${what}`),
    `("unimiss" stands for: node ${process.argv[1]})`,
    'The same runs in VS Code:',
    `  Run "npm run package", then install the .vsix file with "Extensions: Install from VSIX…"`,
    `  UniMiSS in the activity bar lists ${run.id}${elsewhere}. Click it to open its curves and previews.`,
  ].join('\n');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
