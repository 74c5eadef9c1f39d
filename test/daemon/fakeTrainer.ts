import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { writeTextAtomically } from '../../daemon/files/atomic.ts';
import { lockRun } from '../../daemon/runs/folder/lock.ts';
import { RunLog } from '../../daemon/runs/folder/log.ts';
import { RecordLog } from '../../daemon/runs/records/recordLog.ts';
import type { TrainRun } from '../../daemon/runs/supervise/trainer.ts';
import { ofPhase } from '../../protocol/config/pretrain/byPhase.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunRecord } from '../../protocol/records/records.ts';
import { lossTerms } from '../../protocol/records/series.ts';
import { letGoFile } from './runs.ts';

const checkpointEvery = 5;

/** A run with this file in its folder ends after so many steps as it says, if it has not done more. */
export const lastStepFile = 'last-step';

/**
 * Trains nothing, but writes records, log and (tiny) checkpoints and obeys its control as the trainer does, without TensorFlow. The length of a run is train.epochs × train.stepsPerEpoch; UNIMISS_FAKE_STEP_MS is the duration of a step. A checkpoint is
 * a digest of all steps in their order. SIGUSR2 makes it crash. A run
 * named `segfault`, `exit`, `diverges` or `broken` comes to the end that its name says at its fourth step; one named `deaf` hangs before its first. One
 * named `waits` stays at its step 12 until `letGo` is called for its folder: a test that kills or stops it then comes before its end on any machine.
 */
export const fakeTrain: TrainRun = async (run, control, listener, holder) => {
  const lock = await lockRun(run.lockFile, holder);
  const records = RecordLog.open(run.recordsFile);
  const log = new RunLog(run.logFile);
  const file = join(run.checkpointsFolder, 'fake.json');
  const record = (it: RunRecord) => {
    records.append(it);
    listener.onRecord?.(it);
  };
  const event = (name: 'start' | 'resume' | 'checkpoint' | 'stop' | 'finish' | 'error', step: number, details = {}) => {
    record({ kind: 'event', event: name, message: name, step, details, time: new Date().toISOString() });
    log.write('info', `${name} at ${step}`);
  };
  const { epochs, stepsPerEpoch } = run.config.train;
  const perEpoch = ofPhase(stepsPerEpoch, '2D') ?? 10;
  const stepMs = Number(process.env.UNIMISS_FAKE_STEP_MS ?? 5);
  try {
    listener.onStage?.('Scanning the images');
    if (run.about.name === 'deaf') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    let { step, digest }: { step: number; digest: string } = existsSync(file)
      ? JSON.parse(readFileSync(file, 'utf8'))
      : { step: 0, digest: '' };
    process.on('SIGUSR2', () => misbehave('segfault'));
    await records.cutAfter(step);
    event(step > 0 ? 'resume' : 'start', step);
    const save = async () => {
      records.sync();
      await writeTextAtomically(file, JSON.stringify({ step, digest }));
      event('checkpoint', step);
    };
    const mark = join(run.folder, lastStepFile);
    const steps = () => (existsSync(mark) ? Number(readFileSync(mark, 'utf8')) : epochs * perEpoch);
    while (step < steps()) {
      await control.proceed();
      if (control.stopRequested) {
        await save();
        event('stop', step, control.stopCause);
        return 'stopped';
      }
      await setTimeout(stepMs);
      if (run.about.name === 'waits' && step === 12 && !existsSync(letGoFile(run.folder))) continue;
      if (step === 3) misbehave(run.about.name);
      const epoch = Math.floor(step / perEpoch);
      const phase = epoch % 2 === 0 ? '2D' : '3D';
      const loss = 7 - step / (epochs * perEpoch);
      record({
        ...{ kind: 'step', step, epoch, group: phase, loss },
        values: {
          ...(phase === '3D' && Object.fromEntries(lossTerms['3D'].map((name) => [`term/${name}`, loss]))),
          ...{ learningRate: 1e-4, weightDecay: 0.04, momentum: 0.996, gradientNorm: 1, imagesPerSecond: 10 },
        },
        ...{ stepMs, waitMs: 0, rssMiB: 100, time: new Date().toISOString() },
      });
      step++;
      digest = createHash('sha256').update(`${digest} ${step}`).digest('hex');
      listener.onProgress?.({
        ...{ step, totalSteps: epochs * perEpoch, epoch, totalEpochs: epochs, group: phase, loss },
        values: { imagesPerSecond: 10 },
      });
      if (step % checkpointEvery === 0) await save();
    }
    await save();
    event('finish', step);
    return 'finished';
  } catch (error) {
    event('error', 3);
    throw error;
  } finally {
    records.close();
    log.close();
    lock.release();
  }
};

function misbehave(name: string): void {
  if (name === 'segfault') {
    process.stderr.write('last words of the trainer\n');
    process.kill(process.pid, 'SIGSEGV');
  }
  if (name === 'exit') process.exit(3);
  if (name === 'diverges')
    throw new UnimissError('diverged', 'the loss is not finite', { place: 'step 3', remedy: 'Lower it.' });
  if (name === 'broken') {
    process.stderr.write('Jane Doe 17.nii comes next\n');
    throw new UnimissError('data', 'Jane Doe 17.nii is empty', { images: ['Jane Doe 17.nii'] });
  }
}
