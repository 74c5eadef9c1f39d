import { type Dtype, dtypeBytes } from '../safetensorsHeader.ts';
import { PthProblem, quoted } from './problem.ts';
import { type DictKey, Name, Namespace, type PickleValue, Storage, StoredTensor, Tuple } from './values.ts';

/**
 * The closed list of Python names that a file may use, and what they mean here. In Python a name can run any program; here it is a
 * word, and everything that is not in this list is refused.
 */

/** Types of storages. PyTorch has more (complex and quantised numbers), which no weights have. */
const storageTypes: Readonly<Record<string, Dtype | null>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
  'torch.UntypedStorage': null,
  'torch.storage.UntypedStorage': null,
};

/** Types that tensors name themselves, because their storage has none. */
const tensorTypes: Readonly<Record<string, Dtype>> = {
  'torch.float64': 'F64',
  'torch.float32': 'F32',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.float8_e4m3fn': 'F8_E4M3',
  'torch.float8_e5m2': 'F8_E5M2',
  'torch.int64': 'I64',
  'torch.int32': 'I32',
  'torch.int16': 'I16',
  'torch.int8': 'I8',
  'torch.uint64': 'U64',
  'torch.uint32': 'U32',
  'torch.uint16': 'U16',
  'torch.uint8': 'U8',
  'torch.bool': 'BOOL',
};

const dictNames = ['collections.OrderedDict', 'builtins.dict', '__builtin__.dict'];
const namespaceName = 'argparse.Namespace';

type Call = (args: readonly PickleValue[]) => PickleValue;

/** What can be called, by name. */
const calls: Readonly<Record<string, Call>> = {
  ...Object.fromEntries(dictNames.map((name) => [name, newDict])),
  'collections.defaultdict': () => new Map(),
  'torch.Size': ([sizes]) => new Tuple(sizes instanceof Tuple ? sizes.items : []),
  'torch._utils._rebuild_tensor': ([storage, offset, shape, strides]) =>
    tensor(storage, offset, shape, strides, undefined),
  'torch._utils._rebuild_tensor_v2': ([storage, offset, shape, strides]) =>
    tensor(storage, offset, shape, strides, undefined),
  'torch._utils._rebuild_tensor_v3': ([storage, offset, shape, strides, , , dtype]) =>
    tensor(storage, offset, shape, strides, dtype),
  'torch._utils._rebuild_parameter': ([data]) => {
    if (data instanceof StoredTensor) return data;
    throw new PthProblem('a parameter has no tensor');
  },
};

const known: ReadonlySet<string> = new Set([
  ...Object.keys(calls),
  ...Object.keys(storageTypes),
  ...Object.keys(tensorTypes),
  namespaceName,
]);

/** @throws PthProblem where the name is not in the list */
export function nameOf(module: string, name: string): Name {
  const whole = `${module}.${name}`;
  if (known.has(whole)) return new Name(whole);
  throw new PthProblem(`it uses the Python name ${quoted(whole)}, which is refused: loading it could run any program`);
}

/** What a call of a name gives. @throws PthProblem where it cannot be called, or with other arguments than PyTorch's */
export function call({ name }: Name, args: readonly PickleValue[]): PickleValue {
  const known = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (known) return known(args);
  throw new PthProblem(`it calls ${quoted(name)}, which is not a function here`);
}

/** A new object of a class. @throws PthProblem as `call` */
export function create(name: Name, args: readonly PickleValue[]): PickleValue {
  if (name.name !== namespaceName) return call(name, args);
  if (args.length > 0) throw new PthProblem('an argparse.Namespace has arguments');
  return new Namespace();
}

/**
 * The storage of a persistent id: ("storage", type, key, device, elements), and in files before PyTorch 1.6 a view, which is None.
 * @throws PthProblem for any other
 */
export function storageOf(id: PickleValue): Storage {
  const [kind, type, key, device, length, view = null] = id instanceof Tuple ? id.items : [];
  const dtype = type instanceof Name && Object.hasOwn(storageTypes, type.name) ? storageTypes[type.name] : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || typeof device !== 'string')
    throw new PthProblem('a reference to tensor data is not one of PyTorch');
  if (view !== null) throw new PthProblem('it has views of storages, which PyTorch before 0.4 wrote');
  return new Storage(key, dtype, sizeOf(length));
}

function newDict([pairs, ...more]: readonly PickleValue[]): Map<DictKey, PickleValue> {
  if (pairs === undefined && more.length === 0) return new Map();
  // PyTorch and optimisers fill dictionaries after they were made.
  throw new PthProblem('a dictionary is made from a list, which PyTorch does not write');
}

function tensor(
  storage: PickleValue | undefined,
  offset: PickleValue | undefined,
  shape: PickleValue | undefined,
  strides: PickleValue | undefined,
  type: PickleValue | undefined,
): StoredTensor {
  if (!(storage instanceof Storage)) throw new PthProblem('a tensor has no storage');
  const named = type instanceof Name && Object.hasOwn(tensorTypes, type.name) ? tensorTypes[type.name] : undefined;
  const dtype = named ?? storage.dtype;
  if (dtype === null) throw new PthProblem('a tensor has no type');
  const result = new StoredTensor(storage, dtype, sizeOf(offset), sizesOf(shape), sizesOf(strides));
  checkInside(result);
  return result;
}

function sizeOf(value: PickleValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new PthProblem('a size, an offset or a stride of a tensor is not a whole number from 0 to 2^53');
}

/** PyTorch's limit. */
const mostAxes = 64;

function sizesOf(value: PickleValue | undefined): number[] {
  const items = value instanceof Tuple ? value.items : Array.isArray(value) ? value : undefined;
  if (!items || items.length > mostAxes) throw new PthProblem('a tensor has no sizes, or more than 64');
  return items.map(sizeOf);
}

/** An expanded tensor may have more elements than its storage, but not so many that reading it takes all memory. */
const mostExpanded = 1 << 20;

/** Elements of the storage up to the last that the tensor has; 0 where it has none. */
export function extentOf({ shape, strides, offset }: StoredTensor): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((end, size, axis) => end + (size - 1) * (strides[axis] ?? 0), offset) + 1;
}

function checkInside(view: StoredTensor): void {
  const { shape, strides, storage, dtype } = view;
  const text = `a tensor of sizes [${shape.slice(0, 8).join(', ')}${shape.length > 8 ? ', …' : ''}]`;
  if (shape.length !== strides.length) throw new PthProblem(`${text} has ${strides.length} strides`);
  const held = storage.dtype === null ? Math.floor(storage.length / dtypeBytes[dtype]) : storage.length;
  const extent = extentOf(view);
  if (!(extent <= held)) throw new PthProblem(`${text} reaches to element ${extent} of a storage of ${held} elements`);
  const elements = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  if (!(elements <= Math.max(held, mostExpanded)))
    throw new PthProblem(`${text} has ${elements} elements, but its storage only ${held}`);
}
