import type { Command } from 'commander';

/** The commands as `unimiss --help` lists them: by purpose, each in a few words. Their own help says more. */
export const overview: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Get started:': {
    demo: 'try UniMiSS on synthetic images',
    engine: 'install or check TensorFlow',
    init: 'print a configuration for pre-training',
    plan: 'check labelled images and print a configuration',
    completion: 'print a completion script for your shell',
  },
  'Train:': {
    pretrain: 'pre-train a network on 2D and 3D images',
    finetune: 'fine-tune it on labelled images',
    resume: 'resume a run from its last checkpoint',
    compare: 'run an experiment with several arms',
  },
  'Use a trained network:': {
    predict: 'label new images',
    evaluate: 'measure it on labelled images; write a report',
    embed: 'compute features of images',
    export: 'write its weights for others',
  },
  'Look at runs:': {
    runs: 'list runs with state, progress and time left',
    metrics: 'show or export what a run recorded',
    open: 'open the page of a run in the browser',
    logs: 'show or follow the log of a run',
  },
  'Control runs:': {
    pause: 'pause a run after its current step',
    continue: 'continue a paused run',
    stop: 'stop a run, with a checkpoint',
    kill: 'kill the process of a run',
    move: 'move a queued run to another place',
    rename: 'give a run another name',
    delete: 'move a run to the trash',
  },
  'Advanced:': {
    daemon: 'run or stop the background server',
    connect: 'connect an editor to the background server',
    phantoms: 'draw synthetic patients for experiments',
    help: 'show the help of a command',
  },
};

/** Gives the commands of the program their groups and summaries. */
export function arrangeHelp(program: Command): void {
  for (const [group, summaries] of Object.entries(overview))
    for (const [name, summary] of Object.entries(summaries)) {
      const command = program.commands.find((one) => one.name() === name);
      command?.summary(summary).helpGroup(group);
    }
  const help = program.createCommand('help').argument('[command]').helpOption(false);
  program.addHelpCommand(help.summary(overview['Advanced:']?.help ?? '').helpGroup('Advanced:'));
}
