// Finds how two runs differ: in their recorded numbers, and in the tensors of their last checkpoints. Uses only Node's own
// modules, and matches numbers by name, so that it can compare records and checkpoints of two versions.
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Values that vary from run to run. */
const timing = new Set(['time', 'stepMs', 'waitMs', 'rssMiB', 'imagesPerSecond', 'seconds']);

/** Metadata that differ between versions, or derive from the rest. */
const formal = new Set(['format', 'sha256']);

/** Groups of numbers: their names do not identify numbers. */
const groups = new Set(['values', 'collapse']);

/**
 * All numbers of a value by name, without times. `{ collapse: { klToUniform: 1 }, terms: [2] }` gives `klToUniform` and
 * `terms.0`, and so does a record with a map `values`.
 * @returns {Map<string, number>}
 */
export function numbersIn(value, path = [], found = new Map()) {
  if (typeof value === 'number') found.set(path.join('.'), value);
  else if (value !== null && typeof value === 'object')
    for (const [key, inner] of Object.entries(value))
      if (!timing.has(key)) numbersIn(inner, groups.has(key) ? path : [...path, key], found);
  return found;
}

/** Step and epoch records of a run, keyed by `step 3`, `epoch 1`. @returns {Map<string, object>} */
export function readRecords(file) {
  const records = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const { kind, ...record } = JSON.parse(line);
    if (kind === 'step' || kind === 'epoch') records.set(`${kind} ${record[kind]}`, record);
  }
  return records;
}

/**
 * Compares what two runs recorded. Each record must be in both, and numbers in both must be equal.
 * @returns {{ rows: object[], differences: string[], notes: string[] }} a row for the steps and one for the epochs
 */
export function compareRecords(a, b) {
  const differences = [];
  const notes = [];
  const rows = ['step', 'epoch'].map((kind) => {
    const keys = [...new Set([...a.keys(), ...b.keys()])].filter((key) => key.startsWith(`${kind} `));
    const row = { what: `${kind} records`, compared: 0, numbers: 0, differing: 0 };
    const onlyIn = [new Map(), new Map()];
    for (const key of keys) {
      const [ours, theirs] = [a.get(key), b.get(key)];
      if (!ours || !theirs) {
        row.differing++;
        differences.push(`${key} is only in the ${ours ? 'first' : 'second'} run`);
        continue;
      }
      row.compared++;
      const numbers = [numbersIn(ours), numbersIn(theirs)];
      if (!numbers.every((each) => each.has('loss'))) differences.push(`${key} has no loss`);
      for (const [name, value] of numbers[0]) {
        if (!numbers[1].has(name)) collect(onlyIn[0], name, value);
        else if (++row.numbers && !Object.is(value, numbers[1].get(name))) {
          row.differing++;
          differences.push(`${key}: ${name} is ${value} and ${numbers[1].get(name)}`);
        }
      }
      for (const [name, value] of numbers[1]) if (!numbers[0].has(name)) collect(onlyIn[1], name, value);
    }
    if (row.compared === 0) differences.push(`there is no ${kind} record to compare`);
    notes.push(...renamed(kind, ...onlyIn));
    return row;
  });
  return { rows, differences, notes };
}

const collect = (lists, name, value) => lists.set(name, [...(lists.get(name) ?? []), value]);

/** For numbers that one run lacks: the name under which the other has the same values, if any. */
function renamed(kind, first, second) {
  const notes = [];
  for (const [name, values] of first) {
    const same = [...second].find(([, others]) => others.join() === values.join())?.[0];
    notes.push(`${kind} records: ${name} ${same ? `is ${same} in the second run` : 'is only in the first run'}`);
    if (same) second.delete(same);
  }
  for (const name of second.keys()) notes.push(`${kind} records: ${name} is only in the second run`);
  return notes;
}

/** The checkpoint of the highest step in a run folder. */
export function lastCheckpoint(run) {
  const step = (file) => Number(/(\d+)\.safetensors$/.exec(file)?.[1]);
  const files = readdirSync(run, { recursive: true, encoding: 'utf8' }).filter((file) => step(basename(file)) >= 0);
  if (files.length === 0) throw new Error(`${run} has no checkpoint`);
  return join(
    run,
    files.reduce((best, file) => (step(file) > step(best) ? file : best)),
  );
}

/** Header of a safetensors file: 8 bytes of length (little-endian), then JSON with type, shape and place of every tensor. */
function open(file) {
  const handle = openSync(file, 'r');
  const length = Buffer.alloc(8);
  read(handle, length, 0);
  const json = Buffer.alloc(Number(length.readBigUInt64LE()));
  read(handle, json, 8);
  const { __metadata__: metadata = {}, ...tensors } = JSON.parse(json.toString('utf8'));
  const bytes = ({ data_offsets: [begin, end] }) => {
    const values = Buffer.alloc(end - begin);
    read(handle, values, 8 + json.length + begin);
    return values;
  };
  return { metadata, tensors, bytes, close: () => closeSync(handle) };
}

function read(handle, buffer, position) {
  for (let done = 0; done < buffer.length; ) {
    const count = readSync(handle, buffer, done, buffer.length - done, position + done);
    if (count === 0) throw new Error('the checkpoint ends too early');
    done += count;
  }
}

/** Compares two safetensors files: every tensor byte for byte, by name; and numbers of the metadata that both have. */
export function compareCheckpoints(first, second) {
  const [a, b] = [open(first), open(second)];
  const differences = [];
  const notes = [];
  try {
    const names = [...new Set([...Object.keys(a.tensors), ...Object.keys(b.tensors)])];
    const row = { what: 'tensors', compared: 0, numbers: 0, differing: 0 };
    for (const name of names) {
      const [ours, theirs] = [a.tensors[name], b.tensors[name]];
      const reason = !ours || !theirs ? `is only in the ${ours ? 'first' : 'second'} checkpoint` : unlike(ours, theirs);
      if (ours && theirs) row.compared++;
      if (ours) row.numbers += ours.shape.reduce((all, n) => all * n, 1);
      if (!reason) continue;
      row.differing++;
      differences.push(`tensor ${name} ${reason}`);
    }
    if (row.compared === 0) differences.push('there is no tensor to compare');
    const metadata = compareMetadata();
    return { rows: [row, metadata], differences, notes };
  } finally {
    a.close();
    b.close();
  }

  function unlike(ours, theirs) {
    const [one, other] = [ours, theirs].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
    if (one !== other) return `is ${one} and ${other}`;
    return a.bytes(ours).equals(b.bytes(theirs)) ? undefined : 'has other values';
  }

  function compareMetadata() {
    const [ours, theirs] = [a, b].map(({ metadata }) =>
      numbersIn(
        Object.fromEntries(
          Object.entries(metadata)
            .filter(([key]) => !formal.has(key))
            .map(parsed),
        ),
      ),
    );
    const row = { what: 'counters', compared: 1, numbers: 0, differing: 0 };
    for (const [name, value] of ours) {
      if (!theirs.has(name)) notes.push(`counters: ${name} is only in the first checkpoint`);
      else if (++row.numbers && !Object.is(value, theirs.get(name))) {
        row.differing++;
        differences.push(`counters: ${name} is ${value} and ${theirs.get(name)}`);
      }
    }
    for (const name of theirs.keys())
      if (!ours.has(name)) notes.push(`counters: ${name} is only in the second checkpoint`);
    return row;
  }
}

/** Metadata are strings; parses those that contain JSON. */
function parsed([key, text]) {
  try {
    return [key, JSON.parse(text)];
  } catch {
    return [key, text];
  }
}
