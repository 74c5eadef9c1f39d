import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import type { Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { foregroundOption } from '../viaDaemon/connection.ts';
import { readRun, writePage } from './metrics.ts';

/** `unimiss open [RUN]` */
export function openCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('open')
    .description('Write the page of a run, with curves and previews, and open it in the browser.')
    .argument('[run]', 'name or folder of the run (default: the newest)')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addOption(foregroundOption())
    .action(async (name: string | undefined, options: { runs?: string; foreground?: boolean }, command: Command) => {
      const reporter = Reporter.of(command);
      const file = await writePage(await readRun(name, options, { reporter, tasks }), { reporter, tasks });
      reporter.line(file);
      reporter.record({ file });
      const browser = browserOf(process.platform, process.env);
      if (browser === undefined || !(await opens(browser, pathToFileURL(file).href)))
        reporter.notice('There is no browser here. Copy the file to a computer with one; it needs no other files.');
    });
}

/** The program that opens a page in the user's browser; undefined without a desktop. */
export function browserOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string | undefined {
  if (env.BROWSER) return env.BROWSER;
  if (platform === 'darwin') return 'open';
  return env.DISPLAY || env.WAYLAND_DISPLAY ? 'xdg-open' : undefined;
}

/** Whether the program could be started. It goes on by itself. */
function opens(program: string, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [address], { detached: true, stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
