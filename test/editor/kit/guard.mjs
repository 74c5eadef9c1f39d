// Started beside an editor. When the editor's owner closes its pipe, or dies in whatever way, ends every
// process that carries the editor's mark in its environment (detached ones too) and removes its folder.
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const folder = process.argv[2];
const mark = `EDITOR_TEST=${folder}`;

/** @returns {number[]} */
function marked() {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
      } catch {
        return false; // it has ended, or is another user's
      }
    })
    .map(Number);
}

/** @param {NodeJS.Signals} signal */
function signalAll(signal) {
  for (const pid of marked()) {
    try {
      process.kill(pid, signal);
    } catch {
      /* it has ended */
    }
  }
}

process.stdin.resume();
await new Promise((resolve) => process.stdin.once('close', resolve));

signalAll('SIGTERM');
for (let waited = 0; waited < 3000 && marked().length; waited += 50) await delay(50);
signalAll('SIGKILL');
while (marked().length) await delay(50);
fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
