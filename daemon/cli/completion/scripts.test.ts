import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { afterAll, expect, it } from 'vitest';
import { completionScript } from './scripts.ts';
import { wordsOf } from './words.ts';

const program = new Command('unimiss').version('1').option('--json', "the program's option");
program
  .command('embed')
  .description('Compute features. It takes long.')
  .argument('<run>')
  .option('-o, --out <folder>', 'folder')
  .addOption(new Option('--network <network>', 'network').choices(['teacher', 'student']))
  .addOption(new Option('--secret', 'hidden').hideHelp());
program.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh']));
const daemon = program.command('daemon').option('--idle <minutes>', 'minutes');
daemon.command('status').description('Show the daemon.');
daemon.command('stop').option('--stop-runs', 'also the runs');
program.command('worker', { hidden: true });

const folder = mkdtempSync(join(tmpdir(), 'unimiss-completion-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const name of ['chest-1', 'chest-2', 'liver']) mkdirSync(join(folder, 'runs', name), { recursive: true });
mkdirSync(join(folder, 'here'));
writeFileSync(join(folder, 'here', 'notes.txt'), '');

/** What bash offers for the last of some words. */
function completed(...words: string[]): string[] {
  const script = `${completionScript('bash', wordsOf(program))}
COMP_WORDS=(unimiss "$@"); COMP_CWORD=$#; _unimiss_complete
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const options = { cwd: join(folder, 'here'), env: { ...process.env, UNIMISS_RUNS: join(folder, 'runs') } };
  const answer = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { ...options, encoding: 'utf8' });
  return answer.split('\n').filter(Boolean).toSorted();
}

it.each([
  [[''], ['completion', 'daemon', 'embed', 'help']],
  [['em'], ['embed']],
  [
    ['daemon', ''],
    ['help', 'status', 'stop'],
  ],
  [
    ['daemon', 'stop', '--'],
    ['--help', '--json', '--stop-runs'],
  ],
  [
    ['--json', 'daemon', 'st'],
    ['status', 'stop'],
  ],
  [
    ['daemon', '--idle', '3', 'st'],
    ['status', 'stop'],
  ],
  [
    ['embed', '-'],
    ['--help', '--json', '--network', '--out', '-h', '-o'],
  ],
  [
    ['embed', '--network', ''],
    ['student', 'teacher'],
  ],
  [['embed', 'chest-1', '--network', 't'], ['teacher']],
  [
    ['completion', ''],
    ['bash', 'zsh'],
  ],
])('after %j, bash offers %j', (words, offered) => {
  expect(completed(...words)).toEqual(offered);
});

it('offers runs for a run, and files for everything else', () => {
  expect(completed('embed', 'chest')).toEqual(['chest-1', 'chest-2']);
  expect(completed('embed', 'chest-1', '--out', '')).toEqual(['notes.txt']);
  expect(completed('embed', '--out', 'x', 'l')).toEqual(['liver']);
  expect(completed('embed', 'chest-1', 'n')).toEqual(['notes.txt']);
});

it('loads bash completion in zsh, and describes commands and options in fish', () => {
  const words = wordsOf(program);
  expect(completionScript('zsh', words)).toMatch(/^autoload -U \+X bashcompinit[\s\S]*complete -o filenames/);
  const fish = completionScript('fish', words);
  expect(fish).toContain("-n '__fish_use_subcommand' -f -a embed -d 'Compute features'");
  expect(fish).toContain("-n '__fish_seen_subcommand_from embed' -l network -x -a 'teacher student'");
  expect(fish).toContain("-n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from stop' -l stop-runs");
  expect(fish).not.toContain('secret');
  expect(fish).not.toContain('worker');
});
