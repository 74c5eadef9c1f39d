import { Command } from 'commander';
import { expect, it } from 'vitest';
import { arrangeHelp, overview } from './overview.ts';

const names = Object.values(overview).flatMap((group) => Object.keys(group));

it('lists each command once, under a heading, in one line of 80 characters', () => {
  const program = new Command('unimiss').configureHelp({ helpWidth: 80 });
  for (const name of names.filter((one) => one !== 'help'))
    program.addCommand(new Command(name).description('Long. And longer.'));
  arrangeHelp(program);
  const lines = program.helpInformation().split('\n');
  for (const [heading, group] of Object.entries(overview)) {
    const at = lines.indexOf(heading);
    expect(at, heading).toBeGreaterThan(0);
    const listed = lines.slice(at + 1, at + 1 + Object.keys(group).length).map((line) => line.trim().split(/\s+/)[0]);
    expect(listed.toSorted()).toEqual(Object.keys(group).toSorted());
  }
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(new Set(names).size).toBe(names.length);
});
