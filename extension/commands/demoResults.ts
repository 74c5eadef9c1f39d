import { l10n } from 'vscode';
import { z } from 'zod';

/** What `unimiss demo --json` prints besides records: results, and where its runs are. */
const fact = z.object({ label: z.string(), value: z.string(), note: z.optional(z.string()) });
const pretrained = z.object({ run: z.string(), page: z.string() });
const fineTuned = z.object({ modality: z.string(), fineTuned: z.string(), report: z.string() });

/** The results of the demo as a text for the editor, whose users have neither its folder nor its shell. */
export function demoResults(printed: string): string {
  const objects = printed.split('\n').flatMap((line): unknown[] => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const all = <T>(schema: z.ZodType<T>): T[] =>
    objects.flatMap((one) => {
      const { success, data } = schema.safeParse(one);
      return success ? [data] : [];
    });
  const [run] = all(pretrained);
  return [
    l10n.t('UniMiSS on made-up images'),
    '',
    ...all(fact).flatMap(({ label, value, note }) => [`${label}: ${value}`, ...(note ? [`    ${note}`] : [])]),
    '',
    l10n.t('In the view Runs:'),
    ...(run ? [l10n.t('- {0}: the pre-training. Click it for its curves.', nameOf(run.run))] : []),
    ...all(fineTuned).map((one) =>
      l10n.t(
        '- {0}: fine-tuned in {1}. Right-click it and choose Open Evaluation Report.',
        nameOf(one.fineTuned),
        one.modality,
      ),
    ),
    '',
    l10n.t('Next: right-click a folder with your images in the explorer and choose Pre-train on This Folder…'),
    '',
  ].join('\n');
}

function nameOf(folder: string): string {
  return folder.split('/').at(-1) ?? folder;
}
