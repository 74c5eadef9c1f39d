import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { afterAll, expect, it } from 'vitest';
import { niftiFixture } from '../daemon/data/formats/nifti.fixture.ts';
import { folderOf } from '../test/needs.ts';
import { withTexts } from '../test/viewer/pngTexts.ts';
import { headerView } from './headerView.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-header-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const values = Array.from({ length: 24 }, (_, i) => i);
const find = async (path: string, name: string, revealed = false) => {
  const { lines, withheld } = await headerView(path, revealed);
  return { line: lines.find((one) => one.name.includes(name)), withheld };
};

it('the header of NIfTI is shown, its free texts only when asked for', async () => {
  const path = join(folder, 'a.nii.gz');
  const bytes = niftiFixture({ values });
  bytes.write('Doe^John 1970', 148, 'latin1');
  writeFileSync(path, gzipSync(bytes));
  expect((await find(path, 'pixDims')).line?.value).toContain('2, 3, 4');
  expect(await find(path, 'description')).toMatchObject({ line: { value: undefined }, withheld: 1 });
  expect(await find(path, 'description', true)).toMatchObject({ line: { value: 'Doe^John 1970' }, withheld: 0 });
});

it('of headers of text, only what is about the grid is shown', async () => {
  const path = join(folder, 'a.nrrd');
  const header =
    'NRRD0004\n# of Jane Doe\ntype: short\ndimension: 3\nsizes: 4 3 2\npatient:=Jane Doe\nencoding: raw\n\n';
  writeFileSync(path, Buffer.concat([Buffer.from(header), Buffer.alloc(48)]));
  expect((await find(path, 'sizes')).line?.value).toBe('4 3 2');
  expect(await find(path, 'patient')).toMatchObject({ line: { value: undefined }, withheld: 1 });
  expect(JSON.stringify(await headerView(path, false))).not.toContain('Doe');
  expect((await find(path, 'patient', true)).line?.value).toBe('Jane Doe');
});

it('texts of PNG are withheld, and are texts whatever is in them', async () => {
  const path = join(folder, 'a.png');
  const png = encode({ width: 3, height: 2, data: new Uint8Array(6), channels: 1, depth: 8 });
  writeFileSync(path, withTexts(png, { Author: 'Jane Doe', Comment: '<b>bold</b>' }));
  expect((await find(path, 'Width')).line?.value).toBe('3');
  expect(await find(path, 'Author')).toMatchObject({ line: { value: undefined }, withheld: 3 });
  expect(JSON.stringify(await headerView(path, false))).not.toContain('Doe');
  expect((await find(path, 'Author', true)).line?.value).toBe('Jane Doe');
  expect((await find(path, 'Comment', true)).line?.value).toBe('<b>bold</b>');
  expect((await find(path, 'Packed', true)).line?.value).toBe('zipped words');
});

const labelled = folderOf('labelled');
it.skipIf(!labelled)('of DICOM, names, days and private tags are withheld', async () => {
  const path = join(labelled ?? '', 'dicom', 'ct');
  expect((await find(path, 'Pixel Spacing')).line?.value).toContain('0.97');
  expect((await find(path, 'Rows')).line?.value).toBe('512');
  const { lines } = await headerView(path, false);
  const shown = lines.filter(({ value }) => value !== undefined).map(({ name }) => name);
  expect(
    shown.filter((name) =>
      /^\(0010,|^\(...[13579bdf],|Date|(Physician|Patient|Institution).*Name|Instance UID/i.test(name),
    ),
  ).toEqual([]);
  expect((await headerView(path, true)).withheld).toBe(0);
});
