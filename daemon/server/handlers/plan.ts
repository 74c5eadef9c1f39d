import { misspelled } from '../../../protocol/config/nearest.ts';
import { dataPlan } from '../../../protocol/config/planMessages.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { thisMachine } from '../../data/datasets/labelled/plan/machine.ts';
import { planDataset } from '../../data/datasets/labelled/plan/planDataset.ts';
import { describeData } from '../../data/datasets/labelled/plan/words.ts';
import { type DatasetPreset, datasetPresets } from '../../data/datasets/labelled/presets/index.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import { WorkDone } from './workDone.ts';

/** `unimiss plan` for clients. */
export function planHandlers(): Handler[] {
  return [
    handle(dataPlan, async ({ path, layout, volume, preset, folds, seed, workDoneToken }, { send, signal }) => {
      const progress = new WorkDone(send, workDoneToken);
      progress.begin('Reading the data set');
      try {
        const { dataset, fingerprint, plan, findings, config } = await planDataset(absolute(path), {
          ...{ machine: thisMachine(), folds, seed, signal },
          ...(layout !== 'auto' && { layout }),
          ...(volume !== null && { volume }),
          ...(preset !== undefined && { preset: presetNamed(preset) }),
          onProgress: (done, total) => progress.report('Files', done, total),
        });
        return {
          text: config,
          about: describeData(dataset, fingerprint),
          tight: plan.tight,
          findings: findings
            .map(({ severity, kind, place, what, remedy }) => ({ severity, kind, place, what, remedy }))
            .sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning')),
        };
      } finally {
        progress.end();
      }
    }),
  ];
}

function presetNamed(name: string): DatasetPreset {
  const found = datasetPresets.find((preset) => preset.name === name);
  if (found) return found;
  const names = datasetPresets.map((preset) => preset.name);
  const near = misspelled(name, names);
  throw new UnimissError('config', 'there is no such preset', {
    place: name,
    remedy: near ? `Did you mean "${near}"?` : `Known presets: ${names.join(', ')}.`,
  });
}
