import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
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

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
const own = () => ({ cwd: join(folder, 'here'), env: { ...process.env, UNIMISS_RUNS: join(folder, 'runs') } });

describe.skipIf(!has('fish'))('in fish (skipped where it is missing)', () => {
  it.each([
    ['em', ['embed']],
    ['daemon st', ['status', 'stop']],
    ['daemon stop --stop', ['--stop-runs']],
    ['embed --network ', ['student', 'teacher']],
    ['embed chest', ['chest-1', 'chest-2']],
    ['completion ', ['bash', 'zsh']],
  ])('after "unimiss %s", %j are offered', (line, offered) => {
    const file = join(folder, 'unimiss.fish');
    writeFileSync(file, completionScript('fish', wordsOf(program)));
    const script = 'source $argv[1]; complete -C "unimiss $argv[2]"';
    const answer = execFileSync('fish', ['--no-config', '-c', script, file, line], { ...own(), encoding: 'utf8' });
    // Each line is a word and its description.
    expect(answer.split('\n').flatMap((one) => one.split('\t')[0] || [])).toEqual(offered);
  });
});

// On a busy machine a key may still be lost between terminal and line editor: then the line is typed again.
describe.skipIf(!has('zsh'))('in zsh (skipped where it is missing)', { retry: 3 }, () => {
  // A shell in a terminal of its own, in which the line is typed; another key writes what has become of it. A key that comes before the line
  // editor is ready is lost: it says so at the prompt after the first command.
  const typing = String.raw`zmodload zsh/zpty
zpty typed zsh --no-rcs -i
zpty -w typed "PS1= PS2= RPS1=; source $1
dump() { print -r -- \"\$BUFFER\" >\$OUT; zle -I; print DONE }; zle -N dump; bindkey '^X^D' dump
zle-line-init() { zle -I; print READY }; zle -N zle-line-init; print BE''GUN"
zpty -r typed ignored '*BEGUN*READY*'
zpty -w -n typed "unimiss $2"$'\t\x18\x04'
zpty -r typed ignored '*DONE*'
zpty -d typed`;
  it.each([
    ['em', 'embed'],
    ['daemon sta', 'daemon status'],
    ['daemon stop --stop', 'daemon stop --stop-runs'],
    ['embed --network t', 'embed --network teacher'],
    ['embed li', 'embed liver'],
    ['embed liver -o no', 'embed liver -o notes.txt'],
    ['completion z', 'completion zsh'],
  ])('"unimiss %s" becomes "unimiss %s"', (line, completed) => {
    const file = join(folder, 'unimiss.zsh');
    const out = join(folder, 'line.txt');
    writeFileSync(file, completionScript('zsh', wordsOf(program)));
    const { cwd, env } = own();
    execFileSync('zsh', ['--no-rcs', '-c', typing, 'zsh', file, line], {
      cwd,
      env: { ...env, OUT: out },
      timeout: 10_000,
    });
    expect(readFileSync(out, 'utf8').trim()).toBe(`unimiss ${completed}`);
  });
});

it('loads bash completion in zsh, and describes commands and options in fish', () => {
  const words = wordsOf(program);
  expect(completionScript('zsh', words)).toMatch(/compinit -i[\s\S]*bashcompinit\n[\s\S]*complete -o filenames/);
  const fish = completionScript('fish', words);
  expect(fish).toContain("-n '__fish_use_subcommand' -f -a embed -d 'Compute features'");
  expect(fish).toContain("-n '__fish_seen_subcommand_from embed' -l network -x -a 'teacher student'");
  expect(fish).toContain("-n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from stop' -l stop-runs");
  expect(fish).not.toContain('secret');
  expect(fish).not.toContain('worker');
});
