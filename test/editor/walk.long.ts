import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { volumesWithMasks } from '../integration/labelledPhantoms.ts';
import { FarMachine, noFarMachine } from './farMachine.ts';
import { Editor } from './kit/editor.ts';
import { eventually, packVsix, skipped, titled } from './support.ts';
import { Walk } from './walk.ts';

const shown = { workspace: {}, empty: true, viewport: { width: 1400, height: 900 }, timeout: 600_000 };
/** Small enough for a walk of a few minutes, long enough to be cut in the middle. */
const pretraining = {
  'train.epochs': 8,
  'train.interval': 2,
  'train.batch': { '2D': 4, '3D': 2 },
  'engine.executor': 'graph',
};
const finetuning = {
  'plan.patch': [16, 64, 64],
  train: { epochs: 4, stepsPerEpoch: 12, batch: 2, lr: 3e-3, seed: 3 },
};

/** Images without labels and a labelled data set in `folder`. */
async function writeImages(folder: string): Promise<{ images: string; organs: string }> {
  const phantoms = join(folder, 'phantoms');
  await writePhantoms(phantoms, { seed: 1, volumes: 4, images: 8, size: { slices: 16, plane: 96, image: 96 } });
  const images = join(folder, 'chest');
  for (const [from, to] of [
    ['volumes', 'ct'],
    ['images', 'xray'],
  ] as const)
    cpSync(join(phantoms, from), join(images, to), { recursive: true });
  return { images, organs: await volumesWithMasks(join(folder, 'organs'), 6) };
}

/** From an empty window to the report. Pictures are in UNIMISS_TEST_PICTURES, else in `test-artifacts`. */
describe('a walk from images to a report', () => {
  let editor: Editor | undefined;
  let machine: FarMachine | undefined;
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.log(editor?.report());
    await editor?.close();
    await machine?.stop();
    editor = undefined;
    machine = undefined;
  });

  it.skipIf(skipped !== '')(titled('on this machine'), async () => {
    editor = await Editor.open({
      ...shown,
      vsix: packVsix(),
      env: (folder) => ({ UNIMISS_RUNS: join(folder, 'runs'), HOME: folder }),
    });
    const configurations = editor.inside('study');
    mkdirSync(configurations);
    const walk = new Walk(editor.window, 'local', {
      ...(await writeImages(configurations)),
      ...{ runs: editor.inside('runs'), labels: join(configurations, 'labels'), configurations },
    });
    await walk.begin();
    await walk.configurePretraining(pretraining);
    await walk.start('chest');
    await walk.finished('chest');
    await walk.configureFinetuning(finetuning);
    await walk.start('organs');
    await walk.finished('organs');
    await walk.predict();
    await walk.evaluate();
    expect(editor.consoleErrors).toEqual([]);
    expect(editor.hostErrors()).toBe('');
  });

  it.skipIf(noFarMachine !== '')('on a machine behind ssh, whose connection is cut in the middle', async () => {
    machine = await FarMachine.start();
    const images = await writeImages(machine.home);
    for (const folder of Object.values(images)) machine.own(folder);
    editor = await machine.openEditor(shown);
    const { window } = editor;
    const configurations = editor.inside('study');
    mkdirSync(configurations);
    const walk = new Walk(window, 'far', {
      ...{ ...images, host: machine.host, configurations },
      ...{ runs: join(machine.home, 'unimiss-runs'), labels: join(machine.home, 'labels') },
    });
    await window.runCommand('UniMiSS: Add Machine…');
    await window.pick(machine.host);
    await window.visible('the question of the host key', window.page.locator('.monaco-dialog-box'));
    await walk.picture('host-key');
    expect(await window.answerDialog('Trust and Connect')).toMatch(/SHA256:/);
    await window.runCommand('UniMiSS: Focus on Machines View');
    const described = async () =>
      (await window.treeItems('Machines')).find(({ label }) => label === machine?.host)?.description ?? '';
    await eventually(described).toMatch(/^no GPU · load|^GPU|^busiest/);
    await walk.picture('machines');
    await walk.configurePretraining(pretraining);
    const panel = await walk.start('chest');
    const before = await walk.stepsOf(panel);
    machine.cut();
    await eventually(() => walk.stepsOf(panel)).toBeGreaterThan(before + 3);
    await walk.picture('after-the-cut');
    await walk.finished('chest');
    await walk.configureFinetuning(finetuning);
    await walk.start('organs');
    machine.cut();
    await walk.finished('organs');
    await walk.predict();
    machine.cut();
    await eventually(described).toMatch(/^no GPU · load|^GPU|^busiest/);
    await walk.evaluate();
    expect(editor.consoleErrors).toEqual([]);
  });
});
