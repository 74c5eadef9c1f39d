import { expect, it, vi } from 'vitest';
import { largestConfig, readText, textOf } from './readText.ts';

const read = vi.hoisted(() => [] as string[]);
vi.mock('vscode', async () => ({
  ...(await import('../../test/extension/vscode.ts')),
  workspace: {
    fs: {
      stat: async ({ fsPath }: { fsPath: string }) => ({ size: Number(/\d+/.exec(fsPath)?.[0]) }),
      readFile: async ({ fsPath }: { fsPath: string }) => {
        read.push(fsPath);
        return Buffer.from('text');
      },
    },
  },
}));
const { Uri } = await import('vscode');

it('a file that would fill the memory is not read', async () => {
  expect(await readText(`/${2 ** 28}.html`)).toBe('text');
  await expect(readText(`/${2 ** 28 + 1}.html`)).rejects.toThrow('has 256 MiB, too much to be read');
  expect(await textOf(Uri.file(`/${largestConfig}`), largestConfig)).toBe('text');
  await expect(textOf(Uri.file(`/${largestConfig + 1}`), largestConfig)).rejects.toMatchObject({ code: 'data' });
  expect(read).toHaveLength(2);
});
