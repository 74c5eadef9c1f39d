import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { type Condition, conditions } from '../../data/phantoms/anatomy.ts';
import { sizeOf, writePhantoms } from '../../data/phantoms/write.ts';
import { Reporter } from '../terminal/reporter.ts';

interface Options {
  seed: number;
  volumes: number;
  images: number;
  slices?: number;
  plane?: number;
  pixels?: number;
  only: Partial<Record<Modality, Condition[]>>;
}

/** `unimiss phantoms FOLDER --volumes 64 --images 448` */
export function phantomsCommand(): Command {
  return new Command('phantoms')
    .description(
      'Draw labelled synthetic patients: volumes like CT and projections like X-rays, with four conditions and label maps of organs and lesions. For tests and experiments.',
    )
    .argument('<folder>', 'folder for the images')
    .option('--seed <number>', 'seed; the same one draws the same patients', whole, 0)
    .option('--volumes <number>', 'number of volumes', whole, 64)
    .option('--images <number>', 'number of projections', whole, 256)
    .option('--slices <number>', 'slices of a volume (default: 24)', whole)
    .option('--plane <number>', 'height and width of a volume (default: 176)', whole)
    .option('--pixels <number>', 'height and width of a projection (default: 192)', whole)
    .addOption(
      new Option(
        '--only <conditions>',
        `conditions of one modality, such as 3D=clear,nodules, of ${conditions.join(', ')}; can be repeated`,
      )
        .argParser(onlyConditions)
        .default({}, 'all'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  unimiss phantoms patients --seed 7 --volumes 32 --images 128 --only 3D=clear,nodules',
    )
    .action(async (folder: string, { seed, volumes, images, only, ...sizes }: Options, command: Command) => {
      const reporter = Reporter.of(command);
      const { manifest, tables } = await writePhantoms(resolve(folder), {
        ...{ seed, volumes, images, conditions: only },
        size: sizeOf(sizes),
        onProgress: (done, total) => reporter.progress(`Drawing phantoms ${done}/${total}`, done === total),
      });
      reporter.record({ manifest, tables });
      reporter.line(`For pre-training:   ${manifest}`);
      for (const modality of modalities) reporter.line(`Conditions in ${modality}:   ${tables[modality]}`);
    });
}

function whole(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Give a whole number of 0 or more.');
}

/** `3D=clear,nodules`, added to those before. */
function onlyConditions(text: string, before: Options['only']): Options['only'] {
  const [modality, list = ''] = text.split('=');
  const named = list.split(',');
  const found = conditions.filter((condition) => named.includes(condition));
  if (!modalities.some((one) => one === modality) || found.length !== named.length)
    throw new InvalidArgumentError(`Write 2D= or 3D= and some of ${conditions.join(', ')}.`);
  return { ...before, [modality as Modality]: found };
}
