import { expect, it } from 'vitest';
import { extensionErrors, isForeign } from './hostErrors.ts';

const foreign = `2026-11-23 19:31:16.693 [error] SyntaxError: Unexpected end of JSON input
    at JSON.parse (<anonymous>)
    at cH (file:///root/.cache/unimiss-editor-tests/1/vscode/out/vs/workbench/api/node/extensionHostProcess.js:315:7066)
    at async c_._getWorkspaceStorageURI (file:///root/.cache/unimiss-editor-tests/1/vscode/out/vs/workbench/api/node/extensionHostProcess.js:315:5441)`;
const ours = `2026-11-23 19:31:16.693 [error] TypeError: run is undefined
    at show (/tmp/editor/extensions/unimiss.unimiss-0.1.0-linux-x64/dist/extension/main.cjs:12:34)
    at cH (file:///root/.cache/unimiss-editor-tests/1/vscode/out/vs/workbench/api/node/extensionHostProcess.js:315:7066)`;
const stackless = "2026-11-23 19:31:16.693 [error] Error: EEXIST: file already exists, open '/tmp/vscode.lock'";
const named = '2026-11-23 19:31:16.693 [error] TreeError [unimiss.runs] Cannot resolve tree item';
const canceled =
  '2026-11-23 19:31:16.693 [error] Canceled: Canceled\n    at x (/e/unimiss.unimiss-0.1.0/dist/main.cjs:1:2)';
const info = '2026-11-23 19:31:16.693 [info] unimiss.unimiss was activated';

const at = Date.parse('2026-11-23 19:31:16');
const errors = (entries: string[], restless: { from: number; to?: number }[] = []) =>
  extensionErrors(`${entries.join('\n')}\n`, restless).map((entry) => entry.trimEnd());

it('an error of the extension is found, also while the window closes', () => {
  const log = [info, foreign, ours, named, info];
  expect(errors(log)).toEqual([ours, named]);
  expect(errors(log, [{ from: at }])).toEqual([ours, named]);
});

it('an error that nobody can be told of counts, unless a window just opens or closes', () => {
  expect(errors([stackless])).toEqual([stackless]);
  expect(errors([stackless], [{ from: at, to: at + 2000 }])).toEqual([]);
  expect(errors([stackless], [{ from: at - 2000, to: at }])).toEqual([stackless]);
});

it('that something was cut off counts while the window is open', () => {
  expect(errors([canceled])).toEqual([canceled]);
  expect(errors([canceled], [{ from: at }])).toEqual([]);
});

it('in the browser, what only VS Code takes part in is told from the rest', () => {
  const inWorkbench = `Error: Aborted onWillSaveTextDocument-event after 1750ms
    at http://127.0.0.1:1/stable-1/static/out/vs/code/browser/workbench/workbench.js:770:46762`;
  expect(isForeign(inWorkbench)).toBe(true);
  expect(isForeign(`${inWorkbench}\n    at draw (http://127.0.0.1:1/webview/metrics.js:1:2)`)).toBe(false);
  expect(isForeign(inWorkbench.replace('Aborted', 'unimiss.runs: aborted'))).toBe(false);
  expect(isForeign('an error notification')).toBe(false);
});

it('a row that VS Code asks for after the tree let it go is no error of the extension', () => {
  const gone = "2026-11-23 19:31:16.693 [error] No tree item with id '1/group active' found.";
  expect(errors([gone, stackless])).toEqual([stackless]);
});
