import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { LibraryHandle } from 'koffi';
import { UnimissError } from '../../../protocol/errors.ts';
import { setNativeEnvironment } from '../../native/environment.ts';
import { koffi } from '../../native/native.ts';

/** A pointer of the C side. 0n is NULL. */
export type Pointer = bigint;

const signatures = {
  TF_Version: 'const char *TF_Version()',
  TF_NewStatus: 'void *TF_NewStatus()',
  TF_DeleteStatus: 'void TF_DeleteStatus(void *s)',
  TF_GetCode: 'int TF_GetCode(void *s)',
  TF_SetStatus: 'void TF_SetStatus(void *s, int code, const char *message)',
  TF_Message: 'const char *TF_Message(void *s)',
  TF_AllocateTensor: 'void *TF_AllocateTensor(int dtype, void *dims, int rank, size_t bytes)',
  TF_DeleteTensor: 'void TF_DeleteTensor(void *t)',
  TF_TensorData: 'void *TF_TensorData(void *t)',
  TF_TensorElementCount: 'int64_t TF_TensorElementCount(void *t)',
  TF_TensorByteSize: 'size_t TF_TensorByteSize(void *t)',
  TF_StringCopy: 'void TF_StringCopy(void *dst, void *src, size_t size)',
  TF_StringGetDataPointer: 'void *TF_StringGetDataPointer(void *t)',
  TF_StringGetSize: 'size_t TF_StringGetSize(void *t)',
  TFE_NewContextOptions: 'void *TFE_NewContextOptions()',
  TFE_DeleteContextOptions: 'void TFE_DeleteContextOptions(void *o)',
  TFE_ContextOptionsSetConfig: 'void TFE_ContextOptionsSetConfig(void *o, void *proto, size_t n, void *s)',
  TFE_NewContext: 'void *TFE_NewContext(void *o, void *s)',
  TFE_DeleteContext: 'void TFE_DeleteContext(void *c)',
  TFE_ContextListDevices: 'void *TFE_ContextListDevices(void *c, void *s)',
  TF_DeviceListCount: 'int TF_DeviceListCount(void *l)',
  TF_DeviceListName: 'const char *TF_DeviceListName(void *l, int i, void *s)',
  TF_DeviceListType: 'const char *TF_DeviceListType(void *l, int i, void *s)',
  TF_DeleteDeviceList: 'void TF_DeleteDeviceList(void *l)',
  TFE_ContextAddFunction: 'void TFE_ContextAddFunction(void *c, void *f, void *s)',
  TFE_ContextRemoveFunction: 'void TFE_ContextRemoveFunction(void *c, const char *name, void *s)',
  TFE_ContextClearCaches: 'void TFE_ContextClearCaches(void *c)',
  TFE_AllocateHostTensor: 'void *TFE_AllocateHostTensor(void *c, int dtype, void *dims, int rank, void *s)',
  TFE_NewTensorHandle: 'void *TFE_NewTensorHandle(void *t, void *s)',
  TFE_DeleteTensorHandle: 'void TFE_DeleteTensorHandle(void *h)',
  TFE_TensorHandleDataType: 'int TFE_TensorHandleDataType(void *h)',
  TFE_TensorHandleNumDims: 'int TFE_TensorHandleNumDims(void *h, void *s)',
  TFE_TensorHandleDim: 'int64_t TFE_TensorHandleDim(void *h, int i, void *s)',
  TFE_TensorHandleResolve: 'void *TFE_TensorHandleResolve(void *h, void *s)',
  TFE_TensorHandleCopySharingTensor: 'void *TFE_TensorHandleCopySharingTensor(void *h, void *s)',
  TFE_NewOp: 'void *TFE_NewOp(void *c, const char *name, void *s)',
  TFE_DeleteOp: 'void TFE_DeleteOp(void *op)',
  TFE_OpSetDevice: 'void TFE_OpSetDevice(void *op, const char *device, void *s)',
  TFE_OpAddInput: 'void TFE_OpAddInput(void *op, void *h, void *s)',
  TFE_OpAddInputList: 'void TFE_OpAddInputList(void *op, void *hs, int n, void *s)',
  TFE_OpNameGetAttrType: 'int TFE_OpNameGetAttrType(void *c, const char *op, const char *attr, void *isList, void *s)',
  TFE_OpSetAttrString: 'void TFE_OpSetAttrString(void *op, const char *name, void *value, size_t n)',
  TFE_OpSetAttrInt: 'void TFE_OpSetAttrInt(void *op, const char *name, int64_t value)',
  TFE_OpSetAttrFloat: 'void TFE_OpSetAttrFloat(void *op, const char *name, float value)',
  TFE_OpSetAttrBool: 'void TFE_OpSetAttrBool(void *op, const char *name, uint8_t value)',
  TFE_OpSetAttrType: 'void TFE_OpSetAttrType(void *op, const char *name, int value)',
  TFE_OpSetAttrShape: 'void TFE_OpSetAttrShape(void *op, const char *name, void *dims, int rank, void *s)',
  TFE_OpSetAttrStringList:
    'void TFE_OpSetAttrStringList(void *op, const char *name, const char **values, void *sizes, int n)',
  TFE_OpSetAttrIntList: 'void TFE_OpSetAttrIntList(void *op, const char *name, void *values, int n)',
  TFE_OpSetAttrFloatList: 'void TFE_OpSetAttrFloatList(void *op, const char *name, void *values, int n)',
  TFE_OpSetAttrTypeList: 'void TFE_OpSetAttrTypeList(void *op, const char *name, void *values, int n)',
  TFE_Execute: 'void TFE_Execute(void *op, void *results, void *n, void *s)',
  TF_NewGraph: 'void *TF_NewGraph()',
  TF_DeleteGraph: 'void TF_DeleteGraph(void *g)',
  TF_NewOperation: 'void *TF_NewOperation(void *g, const char *type, const char *name)',
  TF_AddInput: 'void TF_AddInput(void *d, TF_Output input)',
  TF_AddInputList: 'void TF_AddInputList(void *d, TF_Output *inputs, int n)',
  TF_AddControlInput: 'void TF_AddControlInput(void *d, void *oper)',
  TF_SetAttrString: 'void TF_SetAttrString(void *d, const char *name, void *value, size_t n)',
  TF_SetAttrStringList: 'void TF_SetAttrStringList(void *d, const char *name, const char **values, void *sizes, int n)',
  TF_SetAttrInt: 'void TF_SetAttrInt(void *d, const char *name, int64_t value)',
  TF_SetAttrIntList: 'void TF_SetAttrIntList(void *d, const char *name, void *values, int n)',
  TF_SetAttrFloat: 'void TF_SetAttrFloat(void *d, const char *name, float value)',
  TF_SetAttrFloatList: 'void TF_SetAttrFloatList(void *d, const char *name, void *values, int n)',
  TF_SetAttrBool: 'void TF_SetAttrBool(void *d, const char *name, uint8_t value)',
  TF_SetAttrType: 'void TF_SetAttrType(void *d, const char *name, int value)',
  TF_SetAttrTypeList: 'void TF_SetAttrTypeList(void *d, const char *name, void *values, int n)',
  TF_SetAttrShape: 'void TF_SetAttrShape(void *d, const char *name, void *dims, int rank)',
  TF_SetAttrTensor: 'void TF_SetAttrTensor(void *d, const char *name, void *t, void *s)',
  TF_FinishOperation: 'void *TF_FinishOperation(void *d, void *s)',
  TF_OperationNumOutputs: 'int TF_OperationNumOutputs(void *oper)',
  TF_OperationOutputType: 'int TF_OperationOutputType(TF_Output o)',
  TF_GraphGetTensorNumDims: 'int TF_GraphGetTensorNumDims(void *g, TF_Output o, void *s)',
  TF_GraphGetTensorShape: 'void TF_GraphGetTensorShape(void *g, TF_Output o, void *dims, int rank, void *s)',
  TF_GraphSetTensorShape: 'void TF_GraphSetTensorShape(void *g, TF_Output o, void *dims, int rank, void *s)',
  TF_GraphToFunction:
    'void *TF_GraphToFunction(void *g, const char *name, uint8_t hash, int nOps, void *ops, int nIn, TF_Output *ins, int nOut, TF_Output *outs, void *names, void *opts, const char *description, void *s)',
  TF_FunctionSetAttrValueProto:
    'void TF_FunctionSetAttrValueProto(void *f, const char *name, void *proto, size_t n, void *s)',
  TF_DeleteFunction: 'void TF_DeleteFunction(void *f)',
} as const;

// biome-ignore lint/suspicious/noExplicitAny: the signatures above state the argument types of the C functions
type Native = ((...args: any[]) => any) & { async: (...args: any[]) => void };

/** Calls a C function on another thread, so that the event loop stays free. The caller keeps its buffers alive until the promise settles. */
export function callAsync<T>(f: Native, ...args: unknown[]): Promise<T> {
  return new Promise((resolve, reject) => {
    f.async(...args, (error: unknown, result: T) => (error ? reject(error) : resolve(result)));
  });
}

/** The C API of TensorFlow: every function of `signatures`, callable; `memcpy` of libc for copies in both directions. */
export type CApi = Record<keyof typeof signatures, Native> & {
  memcpy: Native;
  /** Allows or forbids TensorFloat-32 in float32 products on a GPU. (A C++ function; the C API has none.) */
  setTensorFloat32: (allowed: boolean) => void;
};

koffi.struct('TF_Output', { oper: 'void *', index: 'int' });

const libraryNames = { framework: 'libtensorflow_framework.so.2', cc: 'libtensorflow_cc.so.2' };

/**
 * Loads TensorFlow's libraries from `folder` (the framework library first and globally, since the other needs its symbols; both
 * lazily, since together they are 850 MB). `preload` are libraries that must be loaded before (CUDA's).
 * @throws UnimissError 'engine' if a file is missing or cannot be loaded.
 */
export function loadCApi(folder: string, preload: readonly string[] = []): CApi {
  for (const name of Object.values(libraryNames)) {
    if (!existsSync(join(folder, name)))
      throw new UnimissError('engine', `TensorFlow's ${name} is missing`, {
        place: folder,
        remedy: 'Run "unimiss engine install", or name the folder that holds it in UNIMISS_TENSORFLOW.',
      });
  }
  // By default, oneDNN's kernels are off on AMD processors, which makes 3-D convolutions four times slower there.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  const quiet = process.env.TF_CPP_MIN_LOG_LEVEL === undefined;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  setNativeEnvironment([
    'TF_ENABLE_ONEDNN_OPTS',
    'TF_CPP_MIN_LOG_LEVEL',
    'XLA_FLAGS',
    'CUDA_DEVICE_ORDER',
    'CUDA_VISIBLE_DEVICES',
    'TF_FORCE_GPU_ALLOW_GROWTH',
    'TF_DETERMINISTIC_OPS',
  ]);
  try {
    for (const path of preload) loadForGood(path, true);
    const load = () => loadForGood(join(folder, libraryNames.framework), true);
    const framework = quiet ? withoutStderr(load) : load();
    const cc = loadForGood(join(folder, libraryNames.cc), false);
    const api: Record<string, unknown> = {};
    for (const [name, signature] of Object.entries(signatures)) api[name] = findFunction([cc, framework], signature);
    api.memcpy = koffi.load(null).func('void *memcpy(void *dst, void *src, size_t n)');
    api.setTensorFloat32 = (allowed: boolean) =>
      findFunction([framework, cc], 'void _ZN3tsl32enable_tensor_float_32_executionEb(bool allowed)')(allowed);
    return api as CApi;
  } catch (cause) {
    if (cause instanceof UnimissError) throw cause;
    throw new UnimissError('engine', `TensorFlow cannot be loaded: ${(cause as Error).message}`, {
      place: folder,
      remedy: 'Run "unimiss engine doctor"; "unimiss engine install" fetches a fresh copy.',
      cause,
    });
  }
}

/**
 * Loads a library that stays until the process ends. koffi unloads its libraries when Node's environment ends, and TensorFlow's exit
 * handlers would then jump into unmapped memory.
 */
function loadForGood(path: string, global: boolean): LibraryHandle {
  const library = koffi.load(path, { global, lazy: true });
  const dlopen = koffi.load(null).func('void *dlopen(const char *path, int flags)');
  const RTLD_LAZY = 0x1;
  const RTLD_NODELETE = 0x1000;
  dlopen(path, RTLD_LAZY | RTLD_NODELETE);
  return library;
}

/** Finds a function in either library: versions of TensorFlow differ in where a symbol is. */
function findFunction(libraries: readonly LibraryHandle[], signature: string): Native {
  let failure: unknown;
  for (const library of libraries) {
    try {
      return library.func(signature) as Native;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/**
 * Runs `body` with the process's stderr sent to /dev/null. While it loads, before it reads TF_CPP_MIN_LOG_LEVEL, TensorFlow
 * prints that it has oneDNN and that logging is not initialised.
 */
function withoutStderr<T>(body: () => T): T {
  const libc = koffi.load(null);
  const dup2 = libc.func('int dup2(int from, int to)');
  const saved = libc.func('int dup(int fd)')(STDERR) as number;
  const nowhere = openSync('/dev/null', 'w');
  dup2(nowhere, STDERR);
  try {
    return body();
  } finally {
    dup2(saved, STDERR);
    closeSync(nowhere);
    closeSync(saved);
  }
}

const STDERR = 2;
