import { expect, it, vi } from 'vitest';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { checkComparable } = await import('./compare.ts');

it('compares runs of the same kind only, and says which run is of which kind', () => {
  const [a, b] = [
    { task: 'pretrain', id: 'chest-1' },
    { task: 'pretrain', id: 'chest-2' },
  ];
  expect(() => checkComparable([a!, b!])).not.toThrow();
  expect(() => checkComparable([a!, { task: 'finetune', id: 'liver-1' }])).toThrow(
    'chest-1 is a pre-training run, liver-1 is a fine-tuning run',
  );
  expect(() => checkComparable([a!])).toThrow('fewer than two runs are selected');
});
