import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { runsRoot } from '../../runs/folder/root.ts';
import { exitCodes } from '../terminal/exitCodes.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, foregroundOption, throughDaemon } from '../viaDaemon/connection.ts';
import { inWords, summaryOf } from './answers.ts';
import { checkImages } from './checkImages.ts';
import { drawPhantoms } from './drawPhantoms.ts';
import { fixExperiment, fixedBefore, readExperiment } from './experimentFile.ts';
import { readImages } from './images.ts';
import { writeComparison } from './report.ts';
import { runArms } from './runArms.ts';
import { ScoreLedger } from './scoreLedger.ts';
import { scoresOf } from './scores.ts';
import { type CompareSteps, compareByDaemon, compareHere } from './steps.ts';

interface CompareOptions {
  out?: string;
  runs?: string;
  foreground?: boolean;
}

/** `unimiss compare EXPERIMENT` */
export function compareCommand(): Command {
  return new Command('compare')
    .description(
      'Compare arms of pre-training by an experiment that is fixed beforehand. Trains what is missing, measures all arms on labelled test images, by linear probes and by fine-tuning, and writes tables, figures and the answers in plain words. Killed or stopped at any moment, it continues.',
    )
    .argument('<experiment>', 'experiment file (*.experiment.jsonc), see docs/compare.md')
    .option('-o, --out <folder>', 'folder for the results (default: beside the file, named after it)')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addOption(foregroundOption())
    .action(async (file: string, options: CompareOptions, command: Command) => {
      const reporter = Reporter.of(command);
      if (options.foreground) return compare(file, options, compareHere(reporter), reporter);
      await throughDaemon(reporter, (client) => compare(file, options, compareByDaemon(client, reporter), reporter));
    });
}

export async function compare(
  file: string,
  { out: given, runs }: CompareOptions,
  steps: CompareSteps,
  reporter: Reporter,
): Promise<void> {
  const opened = await readExperiment(file);
  const out = resolve(given ?? join(dirname(file), `${basename(file).replace(/\.jsonc?$/, '')}.results`));
  const before = await fixedBefore(out, opened); // a changed one is refused before anything is drawn
  const root = askedRoot(runs) ?? runsRoot();
  await drawPhantoms(opened.phantoms, reporter);
  const images = await readImages(opened);
  await checkImages(opened, images, { begun: before !== undefined });
  const ledger = await ScoreLedger.open(out, opened.hash);
  ledger.requireImages(images.test);
  const fixed = await fixExperiment(out, opened);
  const ran = await runArms(opened, images, { out, ledger, root, steps, reporter });
  if (!ran) {
    reporter.notice('Stopped. The same command continues the experiment.');
    process.exitCode = exitCodes.interrupted.code;
    return;
  }
  const { experiment, hash } = opened;
  const scores = await scoresOf(opened, images, ledger);
  const { report, answers } = await writeComparison(out, { experiment, hash, fixed, ...ran, ...ledger.origin }, scores);
  for (const { question, primary, difference, low, high, corrected } of answers)
    reporter.record({ ...question, primary, difference, low, high, p: corrected });
  reporter.record({ report });
  for (const answer of answers) reporter.line(inWords(answer));
  reporter.line(summaryOf(answers, experiment));
  reporter.line(`Tables and figures:\n  ${report}`);
}
