import { expect, it } from 'vitest';
import { demoResults } from './demoResults.ts';

it('says the results of the demo in the words of the editor, and nothing of the shell', () => {
  const printed = [
    { kind: 'step', step: 0, epoch: 0, group: '2D', loss: 7 },
    { label: 'Mean loss 2D', value: '5.5 → 3.9', note: 'first → last epoch, nats' },
    { label: 'Time', value: '5 min 27 s' },
    { modality: '2D', probe: { before: {}, after: {} } },
    { run: '/runs/demo-1', page: '/runs/demo-1/report.html' },
    { modality: '2D', fineTuned: '/runs/demo-2D-1', report: '/runs/demo-2D-1/evaluations/test-86/report.html' },
  ];
  const text = demoResults(printed.map((one) => JSON.stringify(one)).join('\n'));
  expect(text).toContain('Mean loss 2D: 5.5 → 3.9\n    first → last epoch, nats\nTime: 5 min 27 s\n');
  expect(text).toContain('- demo-1: the pre-training.');
  expect(text).toContain('- demo-2D-1: fine-tuned in 2D.');
  expect(text).not.toMatch(/npm|unimiss |\.vsix|node /);
});
