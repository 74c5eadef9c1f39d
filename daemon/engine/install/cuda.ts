import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** NVIDIA's libraries in the layout of their wheels. */
export interface CudaFiles {
  /** Shared libraries, each after those it needs. If they are loaded globally in this order, TensorFlow finds them by name. */
  preload: string[];
  /** For XLA: folder with `bin/ptxas` and `nvvm/libdevice` (`--xla_gpu_cuda_data_dir` in XLA_FLAGS). */
  dataDir?: string;
}

/**
 * The libraries that TensorFlow opens by name, in the order of their dependencies: cublas ← cublasLt; cusparse ← nvJitLink;
 * cusolver ← cublas, cusparse; cudnn_graph ← cublas, nvrtc. cuDNN opens its other parts itself, from its own folder.
 */
const order: [folder: string, library: string][] = [
  ['cuda_runtime', 'libcudart.so'],
  ['cuda_nvrtc', 'libnvrtc.so'],
  ['nvjitlink', 'libnvJitLink.so'],
  ['cublas', 'libcublasLt.so'],
  ['cublas', 'libcublas.so'],
  ['cufft', 'libcufft.so'],
  ['curand', 'libcurand.so'],
  ['cusparse', 'libcusparse.so'],
  ['cusolver', 'libcusolver.so'],
  ['cuda_cupti', 'libcupti.so'],
  ['nccl', 'libnccl.so'],
  ['cudnn', 'libcudnn.so'],
];

/**
 * Finds NVIDIA's libraries in the folder with `tensorflow/` and `nvidia/` (our cache, or a Python's site-packages). Undefined if
 * there are none.
 */
export async function cudaFiles(folder: string): Promise<CudaFiles | undefined> {
  const nvidia = join(folder, 'nvidia');
  const preload: string[] = [];
  for (const [part, library] of order) {
    const lib = join(nvidia, part, 'lib');
    // libcudart.so.12, not libcudart.so.12.9.79 beside it: one file, under the name that others request.
    const name = (await namesIn(lib)).find((each) => each.startsWith(`${library}.`) && /\.so\.\d+$/.test(each));
    if (name) preload.push(join(lib, name));
  }
  if (preload.length === 0) return undefined;
  const dataDir = join(nvidia, 'cuda_nvcc');
  const hasData = await stat(join(dataDir, 'nvvm', 'libdevice')).then((found) => found.isDirectory(), absent);
  return { preload, ...(hasData && { dataDir }) };
}

const namesIn = async (folder: string): Promise<string[]> => (await readdir(folder).catch(absent)) || [];

function absent(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
  throw error;
}
