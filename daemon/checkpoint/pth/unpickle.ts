import { call, create, nameOf, storageOf } from './names.ts';
import { PthProblem, quoted } from './problem.ts';
import { type DictKey, Name, Namespace, type PickleValue, Tuple } from './values.ts';

/**
 * Reads Python's pickles (protocols 2 to 4, https://docs.python.org/3/library/pickletools.html) as PyTorch writes them: a closed list
 * of operations, on values that are nothing but data. No operation copies what the file may repeat, so time and memory grow with the
 * length of the file alone.
 */

/** What lies on the stack. */
type Item = PickleValue | typeof MARK;
const MARK = Symbol('mark');

/** Names of the operations that are not read, for messages. */
const refused: Readonly<Record<number, string>> = {
  48: 'POP',
  49: 'POP_MARK',
  50: 'DUP',
  70: 'FLOAT',
  73: 'INT',
  76: 'LONG',
  80: 'PERSID',
  83: 'STRING',
  86: 'UNICODE',
  100: 'DICT',
  103: 'GET',
  105: 'INST',
  108: 'LIST',
  111: 'OBJ',
  112: 'PUT',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  139: 'LONG4',
  142: 'BINBYTES8',
  143: 'EMPTY_SET',
  144: 'ADDITEMS',
  145: 'FROZENSET',
  146: 'NEWOBJ_EX',
  150: 'BYTEARRAY8',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
  66: 'BINBYTES',
  67: 'SHORT_BINBYTES',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One value from the bytes, beginning at `at`. @returns the value and where its pickle ends @throws PthProblem */
export function unpickle(bytes: Buffer, at = 0): { value: PickleValue; end: number } {
  return new Unpickler(bytes, at).run();
}

class Unpickler {
  private readonly stack: Item[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly marks: number[] = [];

  constructor(
    private readonly bytes: Buffer,
    private at: number,
  ) {}

  run(): { value: PickleValue; end: number } {
    for (;;) {
      const code = this.byte();
      if (code === 46) return { value: this.pop(), end: this.at };
      const operation = this.operations[code];
      if (!operation)
        throw new PthProblem(
          `it uses the pickle operation ${refused[code] ?? `0x${code.toString(16)}`}, which is refused`,
        );
      operation();
    }
  }

  /** The closed list, by opcode. */
  private readonly operations: Readonly<Record<number, () => void>> = {
    // PROTO
    128: () => {
      if (this.byte() > 5) throw new PthProblem('its pickle has a protocol above 5');
    },
    149: () => this.skip(8), // FRAME: only readers of streams need its length
    // MARK
    40: () => {
      this.marks.push(this.stack.length);
      this.stack.push(MARK);
    },
    78: () => this.push(null),
    136: () => this.push(true),
    137: () => this.push(false),
    74: () => this.push(this.take(4).readInt32LE()), // BININT
    75: () => this.push(this.byte()), // BININT1
    77: () => this.push(this.take(2).readUInt16LE()), // BININT2
    138: () => this.push(long(this.take(this.byte()))), // LONG1
    71: () => this.push(this.take(8).readDoubleBE()), // BINFLOAT
    85: () => this.push(this.take(this.byte()).toString('latin1')), // SHORT_BINSTRING
    84: () => this.push(this.take(this.take(4).readInt32LE()).toString('latin1')), // BINSTRING
    140: () => this.push(this.text(this.byte())), // SHORT_BINUNICODE
    88: () => this.push(this.text(this.take(4).readUInt32LE())), // BINUNICODE
    141: () => this.push(this.text(Number(this.take(8).readBigUInt64LE()))), // BINUNICODE8
    93: () => this.push([]),
    125: () => this.push(new Map()),
    41: () => this.push(new Tuple([])),
    133: () => this.tuple(1),
    134: () => this.tuple(2),
    135: () => this.tuple(3),
    116: () => this.push(new Tuple(this.popToMark())), // TUPLE
    97: () => this.append([this.pop()]), // APPEND
    101: () => this.append(this.popToMark()), // APPENDS
    // SETITEM
    115: () => {
      const value = this.pop();
      this.setItems([this.pop(), value]);
    },
    117: () => this.setItems(this.popToMark()), // SETITEMS
    113: () => this.remember(this.byte()), // BINPUT
    114: () => this.remember(this.take(4).readUInt32LE()), // LONG_BINPUT
    148: () => this.remember(this.memo.size), // MEMOIZE
    104: () => this.recall(this.byte()), // BINGET
    106: () => this.recall(this.take(4).readUInt32LE()), // LONG_BINGET
    99: () => this.push(nameOf(this.line(), this.line())), // GLOBAL
    // STACK_GLOBAL
    147: () => {
      const name = this.pop();
      const module = this.pop();
      if (typeof name !== 'string' || typeof module !== 'string') throw new PthProblem('a Python name is no text');
      this.push(nameOf(module, name));
    },
    82: () => this.construct(call), // REDUCE
    129: () => this.construct(create), // NEWOBJ
    98: () => this.build(), // BUILD
    81: () => this.push(storageOf(this.pop())), // BINPERSID
  };

  private push(value: PickleValue): void {
    this.stack.push(value);
  }

  private pop(): PickleValue {
    const item = this.stack.pop();
    if (item === undefined || item === MARK) throw new PthProblem('its pickle takes a value that is not there');
    return item;
  }

  private top(): PickleValue {
    const item = this.pop();
    this.stack.push(item);
    return item;
  }

  private popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw new PthProblem('its pickle has no mark');
    const items = this.stack.splice(mark).slice(1);
    return items.filter((item) => item !== MARK);
  }

  private tuple(length: number): void {
    const items: PickleValue[] = [];
    for (let i = 0; i < length; i++) items.unshift(this.pop());
    this.push(new Tuple(items));
  }

  private append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PthProblem('its pickle appends to what is no list');
    for (const item of items) list.push(item);
  }

  private setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw new PthProblem('its pickle sets an item of what is no dictionary');
    if (items.length % 2 === 1) throw new PthProblem('its pickle sets a key without a value');
    for (let i = 0; i + 1 < items.length; i += 2) dict.set(dictKey(items[i]), items[i + 1] ?? null);
  }

  private remember(index: number): void {
    this.memo.set(index, this.top());
  }

  private recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new PthProblem(`its pickle recalls value ${index}, which it has not kept`);
    this.push(value);
  }

  private construct(make: (name: Name, args: readonly PickleValue[]) => PickleValue): void {
    const args = this.pop();
    const name = this.pop();
    if (!(name instanceof Name) || !(args instanceof Tuple)) throw new PthProblem('its pickle calls what is no name');
    this.push(make(name, args.items));
  }

  /** State of an object: options of a Namespace. Dictionaries have attributes (`_metadata`), which are not weights. */
  private build(): void {
    const state = this.pop();
    const object = this.top();
    if (object instanceof Map) return;
    if (!(object instanceof Namespace) || !(state instanceof Map))
      throw new PthProblem('its pickle sets the state of what has none');
    if (object.fields) throw new PthProblem('its pickle sets the state of an object twice');
    object.fields = state;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new PthProblem('its pickle is cut off');
    return byte;
  }

  private skip(length: number): void {
    if (!(length >= 0 && length <= this.bytes.length - this.at)) throw new PthProblem('its pickle is cut off');
    this.at += length;
  }

  private take(length: number): Buffer {
    const from = this.at;
    this.skip(length);
    return this.bytes.subarray(from, this.at);
  }

  private text(length: number): string {
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new PthProblem('a text in its pickle is not UTF-8', { cause });
    }
  }

  private line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0 || end - this.at > 1000) throw new PthProblem('a Python name in its pickle has no end');
    const line = this.text(end - this.at);
    this.at++;
    return line;
  }
}

function dictKey(value: PickleValue | undefined): DictKey {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value;
  throw new PthProblem(`a dictionary has a key that is no text and no number (${quoted(typeof value)})`);
}

/** Two's complement, little-endian; as a number where it is one exactly. */
function long(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  const unsigned = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const value = BigInt.asIntN(8 * bytes.length, unsigned);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
