import { ofPhase } from './byPhase.ts';
import type { PretrainConfig } from './resolve.ts';

/** What a run computes from its fields: the learning rates that it uses (lr · total batch / 256). */
export function derivedValues({ data, train }: PretrainConfig): { path: readonly string[]; text: string }[] {
  const phases = (['2D', '3D'] as const).filter((phase) => data.modalities !== (phase === '2D' ? '3D' : '2D'));
  const rates = phases.map((phase) => {
    const batch = train.batch[phase] * train.accumulate;
    return { phase, text: `${Number(((ofPhase(train.lr, phase) * batch) / 256).toPrecision(3))}` };
  });
  const [first, second] = rates;
  const same = second === undefined || first?.text === second.text;
  const text = same ? `${first?.text} used` : rates.map(({ phase, text }) => `${phase}: ${text}`).join(', ');
  return [{ path: ['train', 'lr'], text }];
}
