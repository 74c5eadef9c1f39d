import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Diagnostic, getLanguageService, type JSONSchema, TextDocument } from 'vscode-json-languageservice';
import { experimentJsonSchema } from './experimentSchema.ts';

const service = getLanguageService({});
service.configure({
  allowComments: true,
  schemas: [{ uri: 'unimiss:experiment', fileMatch: ['*'], schema: experimentJsonSchema() as JSONSchema }],
});
const open = (text: string) => {
  const document = TextDocument.create('file:///a.experiment.jsonc', 'jsonc', 1, text);
  return { document, json: service.parseJSONDocument(document) };
};

/** What an editor with the schema says of a file. */
async function problems(text: string): Promise<Diagnostic[]> {
  const { document, json } = open(text);
  return service.doValidation(document, json, { trailingCommas: 'ignore' });
}

it('finds nothing wrong with the experiments of this repository', async () => {
  const files = readdirSync('experiments').filter((name) => name.endsWith('.experiment.jsonc'));
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) expect(await problems(readFileSync(join('experiments', file), 'utf8'))).toEqual([]);
});

it('knows the fields of an experiment, and those of the configurations in it', async () => {
  const text = '{ "nmae": "a", "arms": { "joint": { "train": { "epochs": "many" } } } }';
  const found = (await problems(text)).map(({ message }) => message);
  expect(found).toEqual(
    expect.arrayContaining([expect.stringContaining('nmae'), expect.stringMatching(/Incorrect type.*integer/)]),
  );
  const labelsAt = async (given: string) => {
    const { document, json } = open(given.replace('|', ''));
    const list = await service.doComplete(document, document.positionAt(given.indexOf('|')), json);
    return list?.items.map(({ label }) => label) ?? [];
  };
  expect(await labelsAt('{ "base": { "train": { | } } }')).toEqual(expect.arrayContaining(['epochs', 'lr', 'batch']));
  expect(await labelsAt('{ "fineTuning": { "recipe": { "all": { "train": { | } } } } }')).toContain('epochs');
  expect(await labelsAt('{ "arms": { "joint": { | } } }')).not.toContain('name');
});
