import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { encodeCommand } from '../../../machines/runCommand.ts';
import { travelled } from '../viaDaemon/travelled.ts';
import { argumentsThere, commandOf } from './onMachine.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-there-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a command loses --machine, and nothing behind its name', () => {
  expect(commandOf(['--json', '--machine', 'gpu1', 'runs']).args).toEqual(['--json', 'runs']);
  expect(commandOf(['--machine=gpu1', 'logs', '--machine', 'x']).args).toEqual(['logs', '--machine', 'x']);
  expect(commandOf(['--machine', 'gpu1']).args).toEqual([]);
});

it('configurations travel with it, whatever is in them; other files do not', () => {
  const file = join(folder, "it's a “test”.unimiss.jsonc");
  const text = '{ "name": "ü" } // $(id) `id` \\ \n';
  writeFileSync(file, text);
  writeFileSync(join(folder, 'image.nii'), '');
  const args = ['pretrain', file, '--set', 'train.epochs=2', join(folder, 'image.nii'), join(folder, 'none.jsonc')];
  const command = commandOf(args);
  expect(command.files).toEqual({ [file]: text });
  expect(argumentsThere(['there', encodeCommand(command)])).toEqual(args);
  expect(travelled.get(file)).toBe(text);
  expect(argumentsThere(['runs'])).toBeUndefined();
});

it('one that is too large is refused with a remedy', () => {
  const file = join(folder, 'large.json');
  writeFileSync(file, ' '.repeat(60_000));
  expect(() => commandOf(['pretrain', file])).toThrow(/large.json: is too large to travel .*\n {2}Copy it/);
});
