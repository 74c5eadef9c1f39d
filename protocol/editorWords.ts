/** Commands of the shell that texts name, and the commands of the editor that do the same, by their titles. */
export const editorCommands: Readonly<Record<string, string>> = {
  'engine install': 'Install TensorFlow…',
  'engine doctor': 'Check Installation',
  init: 'New Configuration…',
  pretrain: 'Start Pre-training…',
  plan: 'Plan a Data Set…',
  finetune: 'Start Fine-tuning…',
  evaluate: 'Evaluate…',
  predict: 'Predict with…',
  export: 'Export Weights…',
  metrics: 'Open Metrics',
  logs: 'Show Log',
  resume: 'Resume Run…',
  continue: 'Resume Run…',
  pause: 'Pause Run…',
  stop: 'Stop Run…',
  kill: 'Kill Run…',
  'daemon stop': 'Restart Background Server',
};

/**
 * A text of the daemon in the words of the editor, whose users may have no `unimiss` in their shell: `unimiss engine install` becomes
 * "UniMiSS: Install TensorFlow…". What only the shell can do stays.
 */
export function forEditor(text: string): string {
  return text
    .replace(/ \(for `unimiss engine install`:[^)]*\)/g, '')
    .replace(/`unimiss ([^`\n]+)`|"unimiss ([^"\n]+)"/g, (whole, inTicks?: string, inQuotes?: string) => {
      const words = (inTicks ?? inQuotes ?? '').split(' ');
      if (words[0] === 'runs') return 'the view Runs';
      const title = editorCommands[words.slice(0, 2).join(' ')] ?? editorCommands[words[0] ?? ''];
      return title === undefined ? whole : `"UniMiSS: ${title}"`;
    })
    .replace(/(^|[.!?]\s+)the view Runs/g, '$1The view Runs');
}
